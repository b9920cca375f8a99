/** Whether two records, such as texts of files by path, hold the same values under the same names. */
export function sameEntries<V extends string | number | boolean>(a: Readonly<Record<string, V>>, b: Readonly<Record<string, V>>): boolean {
  const names = Object.keys(a)
  return names.length === Object.keys(b).length && names.every(name => a[name] === b[name])
}
