/**
 * CRC-32C (Castagnoli), the checksum of TFRecord files, and TensorFlow's masked form of it. Part of `tfevents.ts`.
 *
 * Source: RFC 3720 appendix B.4 for the polynomial and check values; tensorflow/core/lib/hash/crc32c.h for the mask.
 */

/** The polynomial 0x1EDC6F41, bits reversed. */
const polynomial = 0x82f63b78

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (polynomial & -(crc & 1))
  return crc
})

/** The checksum of `bytes[start, end)`, an unsigned 32-bit number. */
export const crc32c = (bytes: Uint8Array, start = 0, end = bytes.length): number => {
  let crc = 0xffffffff
  for (let i = start; i < end; i++) crc = table[(crc ^ bytes[i]!) & 0xff]! ^ (crc >>> 8)
  return ~crc >>> 0
}

/** A checksum that may itself be stored in checksummed data: rotated right by 15 bits, plus a constant. */
export const masked = (crc: number): number => (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
