/**
 * HTML that `prose.ts` made from a lesson's Markdown: raw HTML in the text is shown as text, so nothing of it passes as
 * markup.
 */
export function Html(props: { html: string; as?: 'div' | 'p' | 'span'; className?: string; id?: string }) {
  const { html, as: Tag = 'span', className, id } = props
  return (
    <Tag
      {...(className === undefined ? {} : { className })}
      {...(id === undefined ? {} : { id })}
      // biome-ignore lint/security/noDangerouslySetInnerHtml: made by our own renderer, which lets no raw HTML through
      dangerouslySetInnerHTML={{ __html: html }}
    />
  )
}
