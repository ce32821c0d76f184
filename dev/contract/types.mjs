// The contract's TypeScript types out of its JSON Schemas: node types.mjs FOLDER-OF-SCHEMAS NAME …, to standard output.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { compile } from "json-schema-to-typescript";

const [folder, ...names] = process.argv.slice(2);
const schemas = Object.fromEntries(
	names.sort().map((name) => [name, JSON.parse(readFileSync(join(folder, `${name}.schema.json`), "utf8"))])
);

// Shared pieces that deserve a name of their own; the other definitions are plain texts and numbers.
const NAMED = { "common#access": "Access", "common#embed": "Embed", "lesson#neighbour": "LessonLink" };
// What of a schema says nothing to a compiler.
const UNTYPED = new Set(["$comment", "pattern", "minLength", "minItems", "minimum", "contentMediaType"]);

const pascal = (kind) => kind.replace(/(?:^|_)([a-z])/g, (_, letter) => letter.toUpperCase());
const typeName = (kind) => (kind.startsWith("stage_") ? `${pascal(kind.slice(6))}Config` : pascal(kind));

// All schemas become one, since the generator would write what two of them share twice.
const definitions = { SearchEntry: convert(schemas.common.definitions.search_entries.items, "common") };
for (const [key, name] of Object.entries(NAMED)) {
	const [file, definition] = key.split("#");
	definitions[name] = convert(schemas[file].definitions[definition], file);
}
for (const [kind, schema] of Object.entries(schemas)) {
	if (kind === "common") continue;
	const { title, $id, $schema, definitions: _, ...rest } = schema;
	definitions[typeName(kind)] = convert({ ...rest, description: `${title}: ${schema.description}` }, kind);
}
questions(definitions);
stages(definitions);

const source = await compile({ title: "Contract", definitions }, "Contract", {
	additionalProperties: false,
	bannerComment: "",
	declareExternallyReferenced: true,
	format: true,
	style: { printWidth: 110, useTabs: true },
	unreachableDefinitions: true,
});
const remarks = /( \*\n)? \* This interface was referenced by `Contract`'s JSON-Schema\n \* via the `definition` "\w+"\.\n/g;
process.stdout.write(
	"// memora's files as TypeScript types, made by dev/contract from the JSON Schemas: do not edit.\n" +
		"// What each field means, and what may change, is in docs/contract.md.\n\n" +
		source
			.replace(/^export interface Contract \{[\s\S]*?^\}\n+/m, "")
			.replace(remarks, "")
			.replace(/\/\*\*\n \*\/\n/g, "")
			.replace(/\n+(?=\/\*\*\n)/g, "\n\n")
);

function convert(schema, file) {
	if (Array.isArray(schema)) return schema.map((item) => convert(item, file));
	if (schema === null || typeof schema !== "object") return schema;
	if (schema.$ref) return resolve(schema, file);
	if (schema.allOf) return convert(Object.assign({}, ...schema.allOf, without(schema, "allOf")), file);
	if (schema.type === "object" && !schema.properties) return { ...schema, additionalProperties: true };
	if (schema.if) return alternatives(schema, file);
	// Which of several fields is there is for the reader of their comments.
	if (schema.anyOf?.every((branch) => Object.keys(branch).join() === "required")) return convert(without(schema, "anyOf"), file);
	return Object.fromEntries(
		Object.entries(schema)
			.filter(([key]) => !UNTYPED.has(key))
			.map(([key, value]) => [
				key,
				key === "properties" ? mapValues(value, (property) => convert(property, file)) : convert(value, file),
			])
	);
}

// A lesson's stages are a union that `type` tells apart. No build checks a config by its schema, so that each may be of
// another form.
function stages(definitions) {
	const { items } = definitions.Lesson.properties.stages;
	const ref = (name) => ({ $ref: `#/definitions/${name}` });
	definitions.Lesson.properties.stages.items = ref("Stage");
	definitions.OtherConfig = {
		description: "A config that does not fit the schema of its stage's type. docs/contract.md says what to show then.",
		type: "object",
		additionalProperties: true,
	};
	const { type, config } = items.properties;
	for (const name of type.enum) {
		const properties = {
			...items.properties,
			type: { ...type, enum: [name] },
			config: { description: config.description, anyOf: [ref(`${name}Config`), ref("OtherConfig")] },
		};
		definitions[`${name}Stage`] = { ...items, description: `A stage that is a ${name}.`, properties };
	}
	const description = "A step of a lesson. Its type says what its config is.";
	definitions.Stage = { description, anyOf: type.enum.map((name) => ref(`${name}Stage`)) };
}

// A question's kind says what else may be there. All that the schema accepts is read safely by these.
function questions(definitions) {
	const { description, properties, required, ...rest } = definitions.QuestionConfig;
	const { kind, choices, tolerance, unit, ...common } = properties;
	const none = { tsType: "undefined" };
	const kinds = [
		[["one", "several", "true_false"], { choices, tolerance: none, unit: none }],
		[["short"], { choices: none, tolerance: none, unit: none }],
		[["number"], { choices: none, tolerance, unit }],
	];
	const branch = ([names, own], place) => ({
		...rest,
		properties: { kind: place ? { enum: names } : { ...kind, enum: names }, ...own },
		required: place ? ["kind"] : [], // without a kind there may be choices
	});
	definitions.QuestionBase = { ...rest, description: "What every question may have.", properties: common, required };
	definitions.QuestionConfig = { description, allOf: [{ $ref: "#/definitions/QuestionBase" }, { anyOf: kinds.map(branch) }] };
}

function resolve({ $ref, ...beside }, file) {
	const [target, pointer] = $ref.split("#/definitions/");
	const there = target ? target.replace(".schema.json", "") : file;
	if (pointer === "search_entries") {
		return { type: "array", items: { $ref: "#/definitions/SearchEntry" }, ...convert(beside, file) };
	}
	const name = NAMED[`${there}#${pointer}`];
	if (name) return { $ref: `#/definitions/${name}` };
	return convert({ ...schemas[there].definitions[pointer], ...beside }, there);
}

// "if this property is that, then …, else …" is a union that the property tells apart.
function alternatives(schema, file) {
	const { if: condition, then, else: otherwise, ...common } = schema;
	const [[key, { const: value }]] = Object.entries(condition.properties);
	const rule = common.properties[key];
	const others = (rule.enum ?? [true, false]).filter((other) => other !== value);
	const branch = (extra, values) => {
		const properties = { ...common.properties, [key]: { ...without(rule, "type"), enum: values } };
		for (const [name, allowed] of Object.entries(extra.properties ?? {})) {
			if (allowed === false) delete properties[name];
		}
		return { ...common, properties, required: [...common.required, ...(extra.required ?? [])] };
	};
	const branches = [branch(then, [value]), branch(otherwise, others)].map(({ description, ...rest }) => rest);
	return { description: schema.description, anyOf: convert(branches, file) };
}

function without(object, key) {
	const { [key]: _, ...rest } = object;
	return rest;
}

function mapValues(object, change) {
	return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));
}
