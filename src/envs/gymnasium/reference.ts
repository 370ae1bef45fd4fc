/** How an environment of Gymnasium's is named: `gymnasium:<id>`, or `gymnasium:<module>:<id>` where a module registers it. */

const prefix = "gymnasium:"

/** Whether a reference, without its options, names an environment of Gymnasium's. */
export const isGymnasium = (base: string): boolean => base.startsWith(prefix)

/** The id as Gymnasium has it, and the Python module that has to be imported first. */
export const gymnasiumId = (base: string): { readonly id: string; readonly module: string | undefined } => {
  const named = base.slice(prefix.length)
  const at = named.indexOf(":")
  return at < 0
    ? { id: named, module: undefined }
    : { id: named.slice(at + 1), module: named.slice(0, at) }
}
