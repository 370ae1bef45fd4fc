/**
 * The quick way through a codec, for schemas that have nothing to translate: structs and arrays of whole and finite numbers,
 * texts, booleans and literals.
 *
 * It only ever accepts, and then gives what the schema would give: a value that it does not accept may still be right, and
 * the schema itself decides, and says what is wrong. So it needs to know but a part of what a schema can be, and to be
 * right about that part; a test compares the two. A message of a few numbers costs a tenth of the way through Schema.
 */
import type * as SchemaAST from "effect/SchemaAST"

/** Says of a value that the quick way does not accept it. */
export const unsure = Symbol("unsure")

/** Checks a value and copies what has fields, or is `unsure`. The same for both directions. */
export type Convert = (value: unknown) => unknown

/** Annotations that only describe. Others may change what is accepted. */
const descriptive = new Set(["title", "description", "documentation", "identifier", "examples", "expected"])

/** Compiles the quick way for the AST of a JSON codec; `undefined` where there is none. */
export const compile = (ast: SchemaAST.AST): Convert | undefined => {
  if (ast.encoding !== undefined || !describes(ast.annotations)) return undefined
  const convert = byType(ast)
  if (convert === undefined || ast.checks === undefined) return convert
  const accepts = ast.checks.map((check) => byCheck(check, ast))
  if (!accepts.every((accept) => accept !== undefined)) return undefined
  // A number's own check is part of these two.
  if (
    ast._tag === "Number" && accepts.length === 1 &&
    (accepts[0] === Number.isSafeInteger || accepts[0] === Number.isFinite)
  ) {
    return same(accepts[0])
  }
  return (value) => {
    const converted = convert(value)
    return converted !== unsure && accepts.every((accept) => accept(converted)) ? converted : unsure
  }
}

const describes = (annotations: object | undefined): boolean =>
  annotations === undefined || Object.keys(annotations).every((key) => descriptive.has(key))

/** Lets values through that `is` accepts. */
const same = (is: (value: unknown) => boolean): Convert => (value) => is(value) ? value : unsure

const byType = (ast: SchemaAST.AST): Convert | undefined => {
  switch (ast._tag) {
    case "Number":
      // Others than finite ones have a JSON form of their own.
      return same(Number.isFinite)
    case "String":
      return same((value) => typeof value === "string")
    case "Boolean":
      return same((value) => typeof value === "boolean")
    case "Null":
      return same((value) => value === null)
    case "Literal":
      return same((value) => value === ast.literal)
    case "Union":
      return ast.options === undefined ? anyOf(ast.types) : undefined
    case "Arrays":
      return ast.elements.length === 0 && ast.rest.length === 1 ? arrayOf(ast.rest[0]!) : undefined
    case "Objects":
      return ast.indexSignatures.length === 0 ? struct(ast.propertySignatures) : undefined
    default:
      return undefined
  }
}

/** What Effect's own checks accept; a check of somebody else may do anything. */
const byCheck = (check: SchemaAST.Check<unknown>, ast: SchemaAST.AST): ((value: unknown) => boolean) | undefined => {
  if (check._tag !== "Filter") return undefined
  const id = check.annotations?.representation?.id
  switch (id) {
    case "effect/schema/isInt":
      return Number.isSafeInteger
    case "effect/schema/isFinite":
      return Number.isFinite
    default:
      return id?.startsWith("effect/schema/") === true
        ? (value) => check.run(value, ast, {}) === undefined
        : undefined
  }
}

/** Of members that are not structs: for those, which one is meant may take more to find out. */
const anyOf = (types: ReadonlyArray<SchemaAST.AST>): Convert | undefined => {
  const structs = types.filter(({ _tag }) => _tag === "Objects" || _tag === "Arrays" || _tag === "Union")
  const members = types.map(compile)
  if (structs.length > 1 || members.includes(undefined)) return undefined
  return (value) => {
    for (const convert of members) {
      const converted = convert!(value)
      if (converted !== unsure) return converted
    }
    return unsure
  }
}

const arrayOf = (type: SchemaAST.AST): Convert | undefined => {
  const element = compile(type)
  if (element === undefined) return undefined
  return (value) => {
    if (!Array.isArray(value)) return unsure
    const copy: Array<unknown> = []
    for (const item of value as ReadonlyArray<unknown>) {
      const converted = element(item)
      if (converted === unsure) return unsure
      copy.push(converted)
    }
    return copy
  }
}

const struct = (properties: ReadonlyArray<SchemaAST.PropertySignature>): Convert | undefined => {
  // One without properties is another thing: it accepts anything.
  if (properties.length === 0) return undefined
  const fields: Array<{ readonly name: string; readonly optional: boolean; readonly convert: Convert }> = []
  for (const { name, type } of properties) {
    const convert = compile(type)
    if (convert === undefined || typeof name !== "string" || name === "__proto__") return undefined
    fields.push({ name, optional: type.context?.isOptional === true, convert })
  }
  return (value) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return unsure
    const record = value as Readonly<Record<string, unknown>>
    const copy: Record<string, unknown> = {}
    for (let i = 0; i < fields.length; i++) {
      const { convert, name, optional } = fields[i]!
      const field = record[name]
      if (field === undefined && optional && !(name in record)) continue
      const converted = convert(field)
      if (converted === unsure) return unsure
      copy[name] = converted
    }
    return copy
  }
}
