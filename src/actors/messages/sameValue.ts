/** Whether two encoded values are the same: what a message sent when it ran before, and what it sends now. */
export const sameValue = (one: unknown, other: unknown): boolean => {
  if (Object.is(one, other)) return true
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) return false
  if (Array.isArray(one)) {
    return Array.isArray(other) && one.length === other.length &&
      one.every((value, index) => sameValue(value, other[index]))
  }
  if (ArrayBuffer.isView(one)) return ArrayBuffer.isView(other) && sameBytes(bytesOf(one), bytesOf(other))
  // Of shared memory another thread has another object.
  if (one instanceof ArrayBuffer || one instanceof SharedArrayBuffer) {
    return (other instanceof ArrayBuffer || other instanceof SharedArrayBuffer) &&
      sameBytes(new Uint8Array(one), new Uint8Array(other))
  }
  const names = Object.keys(one)
  return names.length === Object.keys(other).length && names.every((name) =>
    Object.hasOwn(other, name) &&
    sameValue((one as Readonly<Record<string, unknown>>)[name], (other as Readonly<Record<string, unknown>>)[name])
  )
}

const bytesOf = ({ buffer, byteLength, byteOffset }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength)

const sameBytes = (one: Uint8Array, other: Uint8Array): boolean =>
  one.length === other.length && one.every((byte, index) => byte === other[index])
