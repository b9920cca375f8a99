/** `#/lesson/<id>/<step>` and `#/lessons`, read and written. */

export type DeepLink = { readonly to: 'list' } | { readonly to: 'lesson'; readonly id: string; readonly step: string }

/** @returns null for a hash that is not about lessons */
export function parseHash(hash: string): DeepLink | null {
  const [first, id = '', step = ''] = hash.replace(/^#\/?/, '').split('/').map(decoded)
  if (!hash.startsWith('#/') || (first !== 'lesson' && first !== 'lessons')) return null
  return first === 'lessons' || id === '' ? { to: 'list' } : { to: 'lesson', id, step }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

export function hashOf(id: string | null, step: string): string {
  if (id === null) return '#/lessons'
  return `#/lesson/${encodeURIComponent(id)}${step === '' ? '' : `/${encodeURIComponent(step)}`}`
}
