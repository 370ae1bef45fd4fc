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

/** The quick way through a schema. */
export interface Way {
  readonly convert: Convert
  /** Whether `convert` would accept a value, found out without a copy of it. */
  readonly accepts: (value: unknown) => boolean
}

/** Annotations that only describe. Others may change what is accepted. */
const descriptive = new Set(["title", "description", "documentation", "identifier", "examples", "expected"])

/** Compiles the quick way for the AST of a JSON codec; `undefined` where there is none. */
export const compile = (ast: SchemaAST.AST): Way | undefined => {
  if (ast.encoding !== undefined || !describes(ast.annotations)) return undefined
  const way = byType(ast)
  if (way === undefined || ast.checks === undefined) return way
  const accepts = ast.checks.map((check) => byCheck(check, ast))
  if (!accepts.every((accept) => accept !== undefined)) return undefined
  // A number's own check is part of these two.
  if (
    ast._tag === "Number" && accepts.length === 1 &&
    (accepts[0] === Number.isSafeInteger || accepts[0] === Number.isFinite)
  ) {
    return same(accepts[0])
  }
  const convert: Convert = (value) => {
    const converted = way.convert(value)
    return converted !== unsure && accepts.every((accept) => accept(converted)) ? converted : unsure
  }
  // What the checks are asked about is the copy, which lacks what the schema does not know.
  return { convert, accepts: (value) => convert(value) !== unsure }
}

const describes = (annotations: object | undefined): boolean =>
  annotations === undefined || Object.keys(annotations).every((key) => descriptive.has(key))

/** Lets values through that `is` accepts. */
const same = (is: (value: unknown) => boolean): Way => ({
  convert: (value) => is(value) ? value : unsure,
  accepts: is
})

const byType = (ast: SchemaAST.AST): Way | undefined => {
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
const anyOf = (types: ReadonlyArray<SchemaAST.AST>): Way | undefined => {
  const structs = types.filter(({ _tag }) => _tag === "Objects" || _tag === "Arrays" || _tag === "Union")
  const members: Array<Way> = []
  for (const type of types) {
    const member = compile(type)
    if (member === undefined) return undefined
    members.push(member)
  }
  if (structs.length > 1) return undefined
  return {
    convert: (value) => {
      for (const { convert } of members) {
        const converted = convert(value)
        if (converted !== unsure) return converted
      }
      return unsure
    },
    accepts: (value) => members.some(({ accepts }) => accepts(value))
  }
}

const arrayOf = (type: SchemaAST.AST): Way | undefined => {
  const element = compile(type)
  if (element === undefined) return undefined
  const { accepts, convert } = element
  return {
    convert: (value) => {
      if (!Array.isArray(value)) return unsure
      const copy: Array<unknown> = []
      for (const item of value as ReadonlyArray<unknown>) {
        const converted = convert(item)
        if (converted === unsure) return unsure
        copy.push(converted)
      }
      return copy
    },
    accepts: (value) => {
      if (!Array.isArray(value)) return false
      // Not `every`, which passes over holes.
      for (let i = 0; i < value.length; i++) if (!accepts(value[i])) return false
      return true
    }
  }
}

const struct = (properties: ReadonlyArray<SchemaAST.PropertySignature>): Way | undefined => {
  // One without properties is another thing: it accepts anything.
  if (properties.length === 0) return undefined
  const fields: Array<{ readonly name: string; readonly optional: boolean } & Way> = []
  for (const { name, type } of properties) {
    const way = compile(type)
    if (way === undefined || typeof name !== "string" || name === "__proto__") return undefined
    fields.push({ name, optional: type.context?.isOptional === true, ...way })
  }
  return {
    convert: (value) => {
      if (!isRecord(value)) return unsure
      const copy: Record<string, unknown> = {}
      for (let i = 0; i < fields.length; i++) {
        const { convert, name, optional } = fields[i]!
        const field = value[name]
        if (field === undefined && optional && !(name in value)) continue
        const converted = convert(field)
        if (converted === unsure) return unsure
        copy[name] = converted
      }
      return copy
    },
    accepts: (value) => {
      if (!isRecord(value)) return false
      for (let i = 0; i < fields.length; i++) {
        const { accepts, name, optional } = fields[i]!
        const field = value[name]
        if (field === undefined && optional && !(name in value)) continue
        if (!accepts(field)) return false
      }
      return true
    }
  }
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)
