/**
 * What a view can tell: a value, or why it cannot be known. Nothing in `inspect/` throws at its user because a kernel
 * is unusual, old, stripped or damaged.
 */
export type Known<T> = { readonly known: true; readonly value: T } | { readonly known: false; readonly why: string }

/** Thrown inside `inspect/` where a reading cannot go on; the message is a sentence for the user. */
export class UnknownError extends Error {
  override name = 'UnknownError'
}

export function known<T>(value: T): Known<T> {
  return { known: true, value }
}

export function unknown(why: string): Known<never> {
  return { known: false, why }
}

/** The result of `read`, or the sentence of the error that stopped it. */
export function attempt<T>(read: () => T): Known<T> {
  try {
    return known(read())
  } catch (e) {
    if (e instanceof RangeError) return unknown(`what is there makes no sense (${e.message})`)
    if (e instanceof Error) return unknown(e.message)
    throw e
  }
}

/** @throws UnknownError with the reason when it is not known. */
export function need<T>(it: Known<T>): T {
  if (!it.known) throw new UnknownError(it.why)
  return it.value
}
