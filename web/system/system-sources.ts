/** mini-pKVM's files as the project has them, as text. A chunk of its own: only who opens them loads it. */
const texts = import.meta.glob<string>(
  ['../../lessons/mini-pkvm/**/*.s', '../../lessons/mini-pkvm/{README.md,Kconfig,defconfig}'],
  {
    query: '?raw',
    import: 'default',
    eager: true,
  },
)

const ROOT = 'lessons/mini-pkvm/'

/** By path from the top folder; the file that includes the others first. */
export const SYSTEM_FILES: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(texts)
    .map(([path, text]) => [path.slice(path.indexOf(ROOT) + ROOT.length), text] as const)
    .sort(([a], [b]) => depth(a) - depth(b) || a.localeCompare(b)),
)

function depth(path: string): number {
  return path.endsWith('.s') && !path.includes('/') ? 0 : path.split('/').length
}
