/**
 * Markdown of lessons to HTML: no raw HTML, citations as notes, links that act marked for the reader's click handler,
 * code with its comments and keywords set apart.
 */
import { Marked, type Tokens } from 'marked'
import { type Citation, parseLabLink, withCitations } from '../../lessons/format.ts'

/** Notes of one step, numbered through it. */
export class Notes {
  readonly all: Citation[] = []

  /** @returns number from 1; the same function of the same versions has one number */
  number(citation: Citation): number {
    const same = (other: Citation) =>
      other.symbol === citation.symbol && other.versions.join() === citation.versions.join()
    const at = this.all.findIndex(same)
    if (at >= 0) return at + 1
    return this.all.push(citation)
  }
}

/** Private-use characters stand for citations while Markdown is read. */
const [OPEN, CLOSE] = ['\u{e000}', '\u{e001}']

export function renderProse(markdown: string, notes: Notes = new Notes()): string {
  const marked = withCitations(markdown, citation => `${OPEN}${notes.number(citation)}${CLOSE}`)
  const html = reader.parse(marked, { async: false })
  return withNotes(html, notes)
}

/** One paragraph's content, for questions and choices. */
export function renderInline(markdown: string, notes: Notes = new Notes()): string {
  const marked = withCitations(markdown, citation => `${OPEN}${notes.number(citation)}${CLOSE}`)
  return withNotes(reader.parseInline(marked, { async: false }), notes)
}

function withNotes(html: string, notes: Notes): string {
  return html.replace(new RegExp(`\\s?${OPEN}(\\d+)${CLOSE}`, 'g'), (_, digits: string) => {
    const note = notes.all[Number(digits) - 1]
    if (note === undefined) return ''
    const title = `${note.symbol}, seen in ${versionsText(note.versions)}`
    return `<sup class="note-mark" title="${escapeHtml(title)}" aria-label="${escapeHtml(`Note: ${title}`)}">${digits}</sup>`
  })
}

export function versionsText(versions: readonly string[]): string {
  return versions.map(version => (version === 'mini' ? 'mini-pKVM' : version)).join(', ')
}

const reader = new Marked({
  gfm: true,
  renderer: {
    html: ({ text }: Tokens.HTML | Tokens.Tag) => escapeHtml(text),
    link(token: Tokens.Link) {
      const inner = this.parser.parseInline(token.tokens)
      if (token.href.startsWith('lab:')) {
        const link = parseLabLink(token.href)
        if (typeof link === 'string') return `<span class="dead-link" title="${escapeHtml(link)}">${inner}</span>`
        return `<a href="#" class="lab-link to-${link.to}" data-lab="${escapeHtml(token.href)}">${inner}</a>`
      }
      if (!/^https?:/.test(token.href)) return inner
      return `<a href="${escapeHtml(token.href)}" target="_blank" rel="noopener noreferrer">${inner}</a>`
    },
    image: ({ text }: Tokens.Image) => escapeHtml(text),
    code: ({ text, lang }: Tokens.Code) =>
      `<pre class="listing" tabindex="0"><code>${highlight(text, lang ?? '')}</code></pre>`,
    heading(token: Tokens.Heading) {
      const level = Math.min(6, token.depth + 1)
      return `<h${level}>${this.parser.parseInline(token.tokens)}</h${level}>`
    },
  },
})

export function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}

const KEYWORDS =
  /^(?:const|let|var|await|async|if|else|for|of|in|while|return|import|export|from|function|new|throw|try|catch|finally|true|false|null|undefined|type|interface)$/

/** Comments, strings, numbers and the first word of an instruction. Weight and shade tell them apart, not hue. */
export function highlight(code: string, language: string): string {
  const ts = /^(?:ts|typescript|js)$/.test(language)
  const assembly = /^(?:s|asm|a64|armasm|aarch64)$/.test(language)
  if (!ts && !assembly) return escapeHtml(code)
  return code
    .split('\n')
    .map(line => {
      let first = true
      return line.replace(
        /(\/\/.*$)|("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`(?:\\.|[^`\\])*`)|(#?-?0x[\da-fA-F_]+n?|#-?\d+|\b\d[\d_]*n?\b)|([.A-Za-z_][\w.]*:?)|([\s\S])/g,
        (all, comment, string, number, word) => {
          const text = escapeHtml(all)
          if (comment !== undefined) return `<i class="c">${text}</i>`
          if (string !== undefined) return `<span class="q">${text}</span>`
          if (number !== undefined) return `<span class="n">${text}</span>`
          if (word === undefined) return text
          const strong = ts ? KEYWORDS.test(all) : first && !all.endsWith(':')
          if (!all.endsWith(':')) first = false
          return strong ? `<b>${text}</b>` : text
        },
      )
    })
    .join('\n')
}
