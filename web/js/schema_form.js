/** A form made from the JSON Schema of a configuration. Only what differs from the defaults is sent. */

import { field, h, select } from "./dom.js";

/** A form for `schema`; `element` is its part of the page, `changes()` what the person has changed. */
export class SchemaForm {
  constructor(schema, defaults, given = defaults) {
    this.definitions = schema.$defs ?? {};
    this.inputs = [];
    this.element = h("div", {}, this.blockParts(schema, defaults, given, []));
  }

  /** The configuration as far as it differs from the defaults. */
  changes() {
    const config = {};
    for (const { path, read, start } of this.inputs) {
      const value = read();
      if (JSON.stringify(value) === JSON.stringify(start)) continue;
      let block = config;
      for (const name of path.slice(0, -1)) block = block[name] ??= {};
      block[path.at(-1)] = value;
    }
    return config;
  }

  /** The fields of an object: plain ones first, then a frame for each block. */
  blockParts(schema, defaults, given, path) {
    const properties = Object.entries(schema.properties ?? {}).map(([name, property]) => [name, this.resolved(property)]);
    const isBlock = ([, property]) => property.properties !== undefined;
    const plain = properties.filter((entry) => !isBlock(entry));
    return [
      plain.length > 0 && h("div", { class: "schema-fields" }, plain.map(([name, property]) => this.plainField(name, property, startOf(name, property, defaults), startOf(name, property, given), [...path, name]))),
      properties.filter(isBlock).map(([name, property]) => this.block(name, property, defaults?.[name], given?.[name], [...path, name])),
    ];
  }

  block(name, property, defaults, given, path) {
    const parts = [
      h("legend", {}, name),
      property.description && h("p", { class: "help" }, property.description),
      this.blockParts(property, defaults, given, path),
    ];
    return h("fieldset", { class: "schema" }, parts);
  }

  plainField(name, property, start, given, path) {
    const { input, read } = control(property, given);
    input.id = `config-${path.join("-")}`;
    this.inputs.push({ path, read, start });
    const element = field(name, input, (property.description ?? "").replaceAll("`", ""));
    const mark = () => element.classList.toggle("changed", JSON.stringify(read()) !== JSON.stringify(start));
    input.addEventListener("input", mark);
    mark();
    return element;
  }

  /** The schema that a reference leads to; of a block that may be left out, the block. */
  resolved(property) {
    const { description, default: fallback } = property;
    const inner = property.$ref ?? property.anyOf?.find(({ $ref }) => $ref)?.$ref;
    if (!inner) return property;
    const target = this.definitions[inner.split("/").at(-1)];
    return { ...target, description: description ?? target.description, default: fallback };
  }
}

/** A key's value in a block; of a block that is left out, the schema's default. */
const startOf = (name, property, block) => (block && name in block ? block[name] : (property.default ?? null));

/** An input for a plain value, and how it is read. */
function control(property, value) {
  const kinds = property.anyOf ?? [property];
  const words = kinds.flatMap((kind) => kind.enum ?? (kind.const === undefined ? [] : [kind.const]));
  const types = kinds.map(({ type }) => type);
  const mayBeNull = types.includes("null");
  if (types.every((type) => type === "boolean")) {
    const input = h("input", { type: "checkbox", checked: value === true });
    return { input, read: () => input.checked };
  }
  if (words.length && kinds.every((kind) => kind.enum || kind.const !== undefined || kind.type === "null")) {
    const options = words.map((word) => [String(word), String(word)]);
    const input = select(mayBeNull ? [["", "none"], ...options] : options, value === null ? "" : String(value));
    return { input, read: () => words.find((word) => String(word) === input.value) ?? null };
  }
  if (types.every((type) => ["integer", "number", "null"].includes(type))) {
    const input = h("input", { type: "number", step: types.includes("number") ? "any" : "1", value: value ?? "", placeholder: mayBeNull ? "none" : "" });
    return { input, read: () => (input.value === "" ? null : Number(input.value)) };
  }
  const isText = types.every((type) => type === "string" || type === "null");
  const input = h("input", { type: "text", spellcheck: "false", value: value === null ? "" : isText || typeof value === "string" ? value : JSON.stringify(value), placeholder: mayBeNull ? "none" : "" });
  return { input, read: () => readText(input.value, isText, types) };
}

/** A word, or a list or number written as JSON; `1, 2` stands for `[1, 2]`. */
function readText(text, isText, types) {
  if (text === "") return types.includes("null") ? null : types.includes("array") ? [] : "";
  if (isText) return text;
  for (const form of [text, `[${text}]`]) {
    try {
      return JSON.parse(form);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
  }
  return types.includes("array") && !types.includes("string") ? text.split(",").map((word) => word.trim()) : text;
}
