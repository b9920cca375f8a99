export type Theme = 'dark' | 'light' | 'projector'

export const THEMES: readonly Theme[] = ['dark', 'light', 'projector']

const KEY = 'pkvm-lab.theme'

/** The theme that index.html set before the first paint: the remembered one, or the system's. */
export function startTheme(): Theme {
  const set = typeof document === 'undefined' ? undefined : document.documentElement.dataset.theme
  return THEMES.find(theme => theme === set) ?? 'dark'
}

export function applyTheme(theme: Theme): void {
  document.documentElement.dataset.theme = theme
  try {
    localStorage.setItem(KEY, theme)
  } catch {
    // Storage can be switched off; the theme then lasts as long as the page.
  }
}

/** Follows the system's preference until the learner has chosen. */
export function followSystemTheme(change: (theme: Theme) => void): void {
  matchMedia('(prefers-color-scheme: light)').addEventListener('change', event => {
    try {
      if (localStorage.getItem(KEY) !== null) return
    } catch {
      return
    }
    const theme = event.matches ? 'light' : 'dark'
    document.documentElement.dataset.theme = theme
    change(theme)
  })
}
