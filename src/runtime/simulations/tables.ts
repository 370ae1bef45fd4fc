/** Rows as CSV text, and as the bytes of a Parquet file. A column is what any row has; where a row has it not, it is empty. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { thrownText } from "../../text/plainLine.ts"

export type Row = Readonly<Record<string, number | string | boolean>>

/** The library that writes Parquet cannot be loaded, or refuses. */
export class TableFault extends Schema.TaggedError<TableFault>()("TableFault", { reason: Schema.String }) {
  override get message(): string {
    return `The Parquet file cannot be written: ${this.reason}.`
  }
}

const columnsOf = (rows: ReadonlyArray<Row>): ReadonlyArray<string> => [...new Set(rows.flatMap(Object.keys))]

/** As RFC 4180 quotes it. */
const field = (value: Row[string] | undefined): string => {
  const text = value === undefined ? "" : String(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll("\"", "\"\"")}"` : text
}

export const csv = (rows: ReadonlyArray<Row>): string => {
  const columns = columnsOf(rows)
  const line = (fields: ReadonlyArray<string>) => `${fields.join(",")}\n`
  return line(columns.map(field)) + rows.map((row) => line(columns.map((name) => field(row[name])))).join("")
}

/** Numbers are doubles, text is UTF-8; a column of both is text. */
export const parquet = (rows: ReadonlyArray<Row>): Effect.Effect<Uint8Array, TableFault> => {
  const fault = (cause: unknown) => new TableFault({ reason: thrownText(cause) })
  return Effect.flatMap(
    Effect.tryPromise({ try: () => import("hyparquet-writer"), catch: fault }),
    (library) =>
      Effect.try({
        try: () => {
          const columnData = columnsOf(rows).map((name) => {
            const values = rows.map((row) => row[name])
            const types = new Set(values.flatMap((value) => value === undefined ? [] : [typeof value]))
            const [type] = types
            if (types.size === 1 && type === "number") {
              return { name, type: "DOUBLE" as const, nullable: true, data: values.map((value) => value ?? null) }
            }
            if (types.size === 1 && type === "boolean") {
              return { name, type: "BOOLEAN" as const, nullable: true, data: values.map((value) => value ?? null) }
            }
            const data = values.map((value) => value === undefined ? null : String(value))
            return { name, type: "STRING" as const, nullable: true, data }
          })
          return new Uint8Array(library.parquetWriteBuffer({ columnData }))
        },
        catch: fault
      })
  )
}
