/**
 * `edits.yaml` of an attempt: places of a file that differ from what the attempt is based on, so that a wrong line is
 * recorded as that line and not as another copy of the file. The start is based on mini-pKVM: its edits are the gap.
 *
 *     - file: script.ts
 *       find: line.includes('mode')
 *       put: line.includes('kvm')
 */
import { Fields, parseYaml, type Problem } from './fields.ts'

export const EDITS = 'edits.yaml'

/** Files that can be edited, and whose they are, as a sentence puts it. */
export interface EditBase {
  readonly files: Readonly<Record<string, string>>
  readonly of: string
}

/**
 * @param own texts of the attempt's folder, edits.yaml among them
 * @returns those files of the base that the edits change, as they are then; where an edit does not fit, as they were
 */
export function editedFiles(own: Readonly<Record<string, string>>, base: EditBase, folder: string, problems: Problem[]): Record<string, string> {
  const text = own[EDITS]
  if (text === undefined) return {}
  const place = `${folder}/${EDITS}`
  const fields = new Fields({ edits: parseYaml(text, place, '', problems) }, place, '', problems)
  const edited: Record<string, string> = {}
  fields.each('edits', edit => {
    const file = edit.text('file')
    const find = verbatim(edit, 'find')
    const put = verbatim(edit, 'put')
    const present = edited[file] ?? base.files[file]
    if (present === undefined) return edit.wrong('file', `"${file}" is no file of ${base.of}.`)
    if (own[file] !== undefined) return edit.wrong('file', `${folder}/ holds ${file} whole too; keep one of the two.`)
    edited[file] = present
    if (find === '') return edit.wrong('find', 'is missing: the text to replace.')
    const times = present.split(find).length - 1
    if (times !== 1) return edit.wrong('find', `this text is there ${times} times in ${file}; it should be there once.`)
    edited[file] = present.replace(find, () => put)
  })
  return edited
}

/** A text with its spaces and line ends; absent is empty. */
function verbatim(fields: Fields, name: string): string {
  const value = fields.raw(name) ?? ''
  if (typeof value === 'string') return value
  fields.wrong(name, 'should be a text.')
  return ''
}
