// Bundles the Desk: node build.mjs BENCH APP… writes APP/public/dist for each app and sites/assets/assets.json, as
// `bench build` does. Frappe's own build needs packages that only its repository has; its sources need less.
// Run from the folder that holds node_modules.

import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

import * as vueCompiler from "@vue/compiler-sfc";
import esbuild from "esbuild";
import rtlcss from "rtlcss";
import sass from "sass";

const [BENCH, ...APPS] = process.argv.slice(2);
const MODULES = path.resolve("node_modules");
const KIT = path.resolve("..", "kit", "node_modules"); // what memora's package.json names, which a bench has in the app's folder
const ASSETS = path.join(BENCH, "sites", "assets");

// `~package/file` and `package/file` come from node_modules, everything else from beside the importing file.
const packageImporter = {
	findFileUrl(url) {
		const name = url.replace(/^~/, "");
		const known = url.startsWith("~") || fs.existsSync(path.join(MODULES, name.split("/")[0]));
		return known ? pathToFileURL(path.join(MODULES, name)) : null;
	},
};

const sassOptions = (file) => ({
	importers: [packageImporter],
	loadPaths: [path.dirname(file)],
	quietDeps: true,
	logger: sass.Logger.silent,
});

const scss = {
	name: "scss",
	setup: (build) =>
		build.onLoad({ filter: /\.scss$/ }, ({ path: file }) => ({
			contents: sass.compile(file, sassOptions(file)).css.replace(/url\((["']?)~/g, "url($1"),
			loader: "css",
			resolveDir: path.dirname(file),
		})),
};

// A template is a string under its file's name. As in Frappe it is written as a template literal, where \' is a quote.
const html = {
	name: "html",
	setup: (build) =>
		build.onLoad({ filter: /\.html$/ }, ({ path: file }) => {
			const name = JSON.stringify(path.basename(file).split(".")[0]);
			const text = fs.readFileSync(file, "utf8").replace(/`/g, "\\`");
			return { contents: `frappe.templates[${name}] = \`${text}\`;` };
		}),
};

const COMPONENT = "__component";

function compileVue(file) {
	const source = fs.readFileSync(file, "utf8");
	const { descriptor } = vueCompiler.parse(source, { filename: file });
	const id = "data-v-" + crypto.createHash("md5").update(file).digest("hex").slice(0, 8);
	const scoped = descriptor.styles.some((style) => style.scoped);
	const inline = Boolean(descriptor.scriptSetup);
	const code = [];

	let bindingMetadata;
	if (descriptor.script || descriptor.scriptSetup) {
		const script = vueCompiler.compileScript(descriptor, {
			id,
			inlineTemplate: inline,
			genDefaultAs: COMPONENT,
			templateOptions: { id, scoped },
		});
		bindingMetadata = script.bindings;
		code.push(script.content);
	} else {
		code.push(`const ${COMPONENT} = {};`);
	}
	if (descriptor.template && !inline) {
		const template = vueCompiler.compileTemplate({
			source: descriptor.template.content,
			filename: file,
			id,
			scoped,
			compilerOptions: { bindingMetadata },
		});
		code.push(template.code.replace("export function render", "function __render"));
		code.push(`${COMPONENT}.render = __render;`);
	}
	if (scoped) code.push(`${COMPONENT}.__scopeId = ${JSON.stringify(id)};`);

	const css = descriptor.styles.map((style) => {
		const plain = /^s[ac]ss$/.test(style.lang)
			? sass.compileString(style.content, sassOptions(file)).css
			: style.content;
		return vueCompiler.compileStyle({ source: plain, filename: file, id, scoped: style.scoped }).code;
	});
	if (css.length) {
		const text = JSON.stringify(css.join("\n"));
		code.push(`document.head.append(Object.assign(document.createElement("style"), {textContent: ${text}}));`);
	}
	code.push(`export default ${COMPONENT};`);
	return { contents: code.join("\n"), loader: "ts", resolveDir: path.dirname(file) };
}

const vue = {
	name: "vue",
	setup: (build) => build.onLoad({ filter: /\.vue$/ }, ({ path: file }) => compileVue(file)),
};

// What the web server has under an absolute address stays an address.
const served = {
	name: "served",
	setup: (build) =>
		build.onResolve({ filter: /^(\/|assets\/)/ }, ({ path: target }) =>
			fs.existsSync(target) ? null : { path: target, external: true },
		),
};

function* bundles(folder) {
	for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
		const file = path.join(folder, entry.name);
		if (entry.isDirectory()) {
			if (!["dist", "node_modules"].includes(entry.name)) yield* bundles(file);
		} else if (/\.bundle\.(js|ts|css|scss)$/.test(entry.name)) {
			yield file;
		}
	}
}

const options = {
	bundle: true,
	minify: true,
	format: "iife",
	target: "es2019",
	entryNames: "[name].[hash]",
	metafile: true,
	logLevel: "error",
	legalComments: "none",
	nodePaths: [MODULES, KIT, ...APPS.map((app) => path.join(BENCH, "apps", app))], // `frappe/public/…` is an app's own
	alias: { vue: path.join(MODULES, "vue/dist/vue.esm-bundler.js") }, // Frappe has templates in strings
	define: {
		"process.env.NODE_ENV": '"production"',
		__VUE_OPTIONS_API__: "true",
		__VUE_PROD_DEVTOOLS__: "false",
		__VUE_PROD_HYDRATION_MISMATCH_DETAILS__: "false",
	},
	loader: {
		...Object.fromEntries(["png", "svg", "gif"].map((kind) => [`.${kind}`, "dataurl"])),
		...Object.fromEntries(["woff", "woff2", "ttf", "eot"].map((kind) => [`.${kind}`, "file"])),
	},
	plugins: [served, html, vue, scss],
};

const assets = {};
const rightToLeft = {};

for (const app of APPS) {
	const source = path.join(BENCH, "apps", app, app, "public");
	const dist = path.join(source, "dist");
	const address = (file) => `/assets/${app}/dist/${path.relative(dist, path.resolve(file))}`;
	if (!fs.existsSync(source)) continue;
	fs.rmSync(path.join(ASSETS, app), { force: true });
	fs.symlinkSync(source, path.join(ASSETS, app));
	fs.rmSync(dist, { recursive: true, force: true });

	const files = [...bundles(source)];
	for (const [folder, extension] of [["js", /[jt]s$/], ["css", /css$/]]) {
		const entryPoints = files.filter((file) => extension.test(file));
		if (!entryPoints.length) continue;
		const { metafile } = await esbuild.build({ ...options, entryPoints, outdir: path.join(dist, folder) });
		for (const [file, output] of Object.entries(metafile.outputs)) {
			if (!output.entryPoint) continue;
			const name = path.basename(output.entryPoint).replace(/\.ts$/, ".js").replace(/\.scss$/, ".css");
			assets[name] = address(file);
			if (output.cssBundle) assets[name.replace(/\.js$/, ".css")] ??= address(output.cssBundle);
			if (folder === "css") {
				const mirrored = path.join(dist, "css-rtl", path.basename(file));
				fs.mkdirSync(path.dirname(mirrored), { recursive: true });
				fs.writeFileSync(mirrored, rtlcss.process(fs.readFileSync(file, "utf8")));
				rightToLeft[`rtl_${name}`] = address(mirrored);
			}
		}
	}
}

fs.writeFileSync(path.join(ASSETS, "assets.json"), JSON.stringify(assets, null, 1));
fs.writeFileSync(path.join(ASSETS, "assets-rtl.json"), JSON.stringify(rightToLeft, null, 1));
console.log(`${Object.keys(assets).length} bundles`);
