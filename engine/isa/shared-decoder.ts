import { Decoder } from './decode.ts'
import type { Feature } from './row.ts'
import { allRows } from './table.ts'

const decoders = new Map<string, Decoder>()

/**
 * The decoder of the whole table for these features, the same for all who ask: what a word means depends on nothing
 * else, so a machine that follows another finds its words known.
 */
export function sharedDecoder(features: ReadonlySet<Feature>): Decoder {
  const key = [...features].sort().join(' ')
  let decoder = decoders.get(key)
  if (decoder === undefined) {
    decoder = new Decoder(allRows, features)
    decoders.set(key, decoder)
  }
  return decoder
}
