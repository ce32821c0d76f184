// How the JavaScript of the Desk, the reader and the gate is checked: `dev/test` runs eslint with this.
import js from "@eslint/js";
import globals from "globals";

const rules = {
	...js.configs.recommended.rules,
	"consistent-return": "off",
	eqeqeq: ["error", "always", { null: "ignore" }],
	"no-implicit-globals": "error",
	"no-unused-vars": ["error", { args: "after-used", argsIgnorePattern: "^_", caughtErrors: "none", ignoreRestSiblings: true }],
	"no-var": "error",
	"prefer-const": ["error", { destructuring: "all" }],
};

export default [
	{ ignores: ["**/node_modules/**", "**/dist/**", ".dev/**"] },
	{
		files: ["memora/public/reader/js/**/*.js"],
		languageOptions: { ecmaVersion: 2022, sourceType: "module", globals: globals.browser },
		rules,
	},
	{
		files: ["memora/public/js/**/*.js", "memora/memora/**/*.js"],
		languageOptions: {
			ecmaVersion: 2022,
			sourceType: "module", // a bundle's part, or wrapped into a function by Frappe
			globals: { ...globals.browser, ...globals.jquery, __: "readonly", cint: "readonly", cur_frm: "readonly", frappe: "writable", memora: "writable" },
		},
		rules,
	},
	{
		files: ["memora/public/js/**/*.js", "memora/memora/**/*.js"],
		ignores: ["memora/public/js/publishing/html.js", "memora/public/js/frappe_attributes.js"],
		rules: {
			"no-restricted-syntax": [
				"error",
				{
					selector: ":not(TaggedTemplateExpression) > TemplateLiteral > TemplateElement[value.raw=/<[a-z]/i]",
					message: "HTML is made by html`…`, which escapes what is put into it.",
				},
				{
					selector: "CallExpression[callee.property.name='html'][arguments.length>0], MemberExpression[property.name='innerHTML']",
					message: "put($element, html`…`) shows HTML.",
				},
			],
		},
	},
	{
		files: ["edge/**/*.js"],
		languageOptions: { ecmaVersion: 2022, sourceType: "module", globals: globals["shared-node-browser"] },
		rules,
	},
	{
		files: ["edge/server.js"],
		languageOptions: { globals: globals.node },
	},
	{
		files: ["dev/**/*.mjs", "tests/**/*.mjs"],
		languageOptions: { ecmaVersion: 2022, sourceType: "module", globals: globals.node },
		rules,
	},
];
