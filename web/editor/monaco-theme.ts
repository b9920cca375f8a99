import type { Theme } from '../theme.ts'
import { monaco } from './monaco.ts'

/** Sizes as the console's: a projector's type is larger. */
const FONT_SIZE: Readonly<Record<Theme, number>> = { dark: 12.5, light: 12.5, projector: 17 }
export const FONT_FAMILY = '"JetBrains Mono Variable", ui-monospace, "DejaVu Sans Mono", monospace'

export const fontSize = (theme: Theme): number => FONT_SIZE[theme]

/**
 * Monaco's theme from the page's tokens. Hues mean who owns what, so the syntax is told apart in ink: weight, slant and
 * three greys; only what is wrong has a colour. Registers and strings lean on the quietest of the hues' neighbours.
 */
export function applyEditorTheme(theme: Theme): void {
  const style = getComputedStyle(document.documentElement)
  // The build shortens #ffffff to #fff, which Monaco does not take.
  const token = (name: string) =>
    style
      .getPropertyValue(name)
      .trim()
      .replace(/^#([0-9a-f])([0-9a-f])([0-9a-f])$/i, '#$1$1$2$2$3$3')
  const bare = (name: string) => token(name).replace('#', '')
  const syntax = SYNTAX[theme]
  monaco.editor.defineTheme('pkvm-lab', {
    base: theme === 'light' ? 'vs' : 'vs-dark',
    inherit: true,
    rules: [
      { token: '', foreground: bare('--ink') },
      { token: 'comment', foreground: bare('--faint'), fontStyle: 'italic' },
      { token: 'keyword', foreground: syntax.keyword },
      { token: 'keyword.directive', foreground: syntax.directive },
      { token: 'identifier', foreground: bare('--ink') },
      { token: 'type', foreground: syntax.type },
      { token: 'type.identifier', foreground: syntax.type },
      { token: 'variable', foreground: bare('--ink') },
      { token: 'variable.parameter', foreground: bare('--dim'), fontStyle: 'italic' },
      { token: 'variable.predefined', foreground: syntax.register },
      { token: 'variable.system', foreground: syntax.system },
      { token: 'label', foreground: bare('--ink'), fontStyle: 'bold' },
      { token: 'number', foreground: syntax.number },
      { token: 'string', foreground: syntax.string },
      { token: 'string.escape', foreground: syntax.number },
      { token: 'delimiter', foreground: bare('--dim') },
      { token: 'operator', foreground: bare('--dim') },
    ],
    colors: {
      'editor.background': token('--ground'),
      'editor.foreground': token('--ink'),
      'editorLineNumber.foreground': token('--faint'),
      'editorLineNumber.activeForeground': token('--ink'),
      'editor.selectionBackground': token('--selection'),
      'editor.inactiveSelectionBackground': token('--raise'),
      'editor.lineHighlightBackground': token('--panel'),
      'editor.lineHighlightBorder': '#00000000',
      'editorCursor.foreground': token('--ink'),
      'editorWidget.background': token('--panel'),
      'editorWidget.foreground': token('--ink'),
      'editorWidget.border': token('--control-line'),
      'editorHoverWidget.background': token('--panel'),
      'editorHoverWidget.foreground': token('--ink'),
      'editorHoverWidget.border': token('--control-line'),
      'editorSuggestWidget.background': token('--panel'),
      'editorSuggestWidget.foreground': token('--ink'),
      'editorSuggestWidget.border': token('--control-line'),
      'editorSuggestWidget.selectedBackground': token('--raise'),
      'editorSuggestWidget.selectedForeground': token('--ink'),
      'editorSuggestWidget.highlightForeground': token('--ink'),
      'editorSuggestWidget.focusHighlightForeground': token('--ink'),
      'list.hoverBackground': token('--raise'),
      'list.focusBackground': token('--raise'),
      'list.highlightForeground': token('--ink'),
      'editorError.foreground': token('--bad'),
      'editorWarning.foreground': token('--dim'),
      'editorIndentGuide.background1': token('--line'),
      'editorIndentGuide.activeBackground1': token('--control-line'),
      'editorBracketMatch.background': token('--raise'),
      'editorBracketMatch.border': token('--control-line'),
      ...Object.fromEntries([1, 2, 3, 4, 5, 6].map(n => [`editorBracketHighlight.foreground${n}`, token('--dim')])),
      'editorBracketHighlight.unexpectedBracket.foreground': token('--bad'),
      'editorGutter.background': token('--ground'),
      'scrollbarSlider.background': `${token('--line')}c0`,
      'scrollbarSlider.hoverBackground': token('--control-line'),
      'scrollbarSlider.activeBackground': token('--control-line'),
      'scrollbar.shadow': '#00000000',
      'widget.shadow': '#00000000',
      'editorOverviewRuler.border': '#00000000',
      'minimap.background': token('--ground'),
      focusBorder: token('--focus'),
      'input.background': token('--ground'),
      'input.foreground': token('--ink'),
      'input.border': token('--control-line'),
      'diffEditor.insertedTextBackground': syntax.inserted,
      'diffEditor.insertedLineBackground': syntax.insertedLine,
      'diffEditor.removedTextBackground': syntax.removed,
      'diffEditor.removedLineBackground': syntax.removedLine,
      'diffEditor.diagonalFill': token('--line'),
      'editor.wordHighlightBackground': token('--raise'),
      'editor.wordHighlightStrongBackground': token('--raise'),
      'editor.hoverHighlightBackground': token('--raise'),
      'editorOverviewRuler.wordHighlightForeground': '#00000000',
      'editorOverviewRuler.errorForeground': token('--bad'),
      'editorMarkerNavigation.background': token('--panel'),
      'editorMarkerNavigationError.background': token('--bad'),
      'editorMarkerNavigationError.headerBackground': token('--bad-ground'),
      'peekView.border': token('--control-line'),
      'peekViewTitle.background': token('--raise'),
      'peekViewTitleLabel.foreground': token('--ink'),
      'peekViewTitleDescription.foreground': token('--faint'),
      'peekViewEditor.background': token('--panel'),
      'peekViewEditorGutter.background': token('--panel'),
      'peekViewEditor.matchHighlightBackground': token('--selection'),
      'peekViewResult.background': token('--panel'),
      'peekViewResult.lineForeground': token('--ink'),
      'peekViewResult.selectionBackground': token('--raise'),
      'peekViewResult.selectionForeground': token('--ink'),
      'peekViewResult.matchHighlightBackground': token('--selection'),
      'quickInput.background': token('--panel'),
      'quickInput.foreground': token('--ink'),
      'menu.background': token('--panel'),
      'menu.foreground': token('--ink'),
      'menu.selectionBackground': token('--raise'),
      'menu.selectionForeground': token('--ink'),
    },
  })
  monaco.editor.setTheme('pkvm-lab')
}

/** Quiet tints that are none of the owners' hues; each reaches AA on its ground. */
const SYNTAX: Readonly<
  Record<
    Theme,
    Record<
      | 'keyword'
      | 'directive'
      | 'type'
      | 'register'
      | 'system'
      | 'number'
      | 'string'
      | 'inserted'
      | 'insertedLine'
      | 'removed'
      | 'removedLine',
      string
    >
  >
> = {
  dark: {
    keyword: 'c9d4ff',
    directive: 'b3a7d6',
    type: 'b9d3d8',
    register: 'a9c7c0',
    system: 'd9c7a3',
    number: 'd6c9b0',
    string: 'b8c9a3',
    inserted: '#2fc59a33',
    insertedLine: '#2fc59a14',
    removed: '#ff846833',
    removedLine: '#ff846814',
  },
  light: {
    keyword: '2b3a8c',
    directive: '5d4a94',
    type: '2e5a66',
    register: '2f5d57',
    system: '6b5424',
    number: '6a4f1c',
    string: '44592a',
    inserted: '#00694f2e',
    insertedLine: '#00694f12',
    removed: '#b32d0f2e',
    removedLine: '#b32d0f12',
  },
  projector: {
    keyword: 'd7e0ff',
    directive: 'cfc4f0',
    type: 'cfe6ea',
    register: 'c3e0d9',
    system: 'f0dfbd',
    number: 'ecdfc6',
    string: 'd3e4bd',
    inserted: '#2fc59a4d',
    insertedLine: '#2fc59a1f',
    removed: '#ff84684d',
    removedLine: '#ff84681f',
  },
}
