const whole = new Intl.NumberFormat('en-US')

/** 1042318204 -> "1,042,318,204" */
export function count(value: number): string {
  return whole.format(value)
}

/** 38629312 -> "38.6 MB" (decimal, as download sizes are told) */
export function megabytes(bytes: number): string {
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`
}

/** 325700000 -> "325.7 M", for the rail, where the order of size is what matters. */
export function shortCount(value: number): string {
  if (value < 10_000) return count(value)
  if (value < 1_000_000) return `${(value / 1e3).toFixed(0)} k`
  if (value < 10_000_000_000) return `${(value / 1e6).toFixed(1)} M`
  return `${count(Math.round(value / 1e6))} M`
}

/** Virtual time in seconds, to the millisecond. */
export function seconds(nanoseconds: number): string {
  return (nanoseconds / 1e9).toFixed(3)
}

/** 1136275456 -> "0x43ba3000" */
export function hex(value: number): string {
  return `0x${value.toString(16)}`
}
