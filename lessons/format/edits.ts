/**
 * `edits.yaml` of an attempt: places of a file that differ from the attempt it is based on, so that a wrong line is
 * recorded as that line and not as another copy of the file.
 *
 *     - file: script.ts
 *       find: line.includes('mode')
 *       put: line.includes('kvm')
 */
import { Fields, parseYaml, type Problem } from './fields.ts'

export const EDITS = 'edits.yaml'

/**
 * @param base files of the attempt that this one is based on
 * @returns those that the edits change, as they are then
 */
export function editedFiles(text: string | undefined, base: Readonly<Record<string, string>>, folder: string, problems: Problem[]): Record<string, string> {
  if (text === undefined) return {}
  const place = `${folder}/${EDITS}`
  const fields = new Fields({ edits: parseYaml(text, place, '', problems) }, place, '', problems)
  const edited: Record<string, string> = {}
  fields.each('edits', edit => {
    const file = edit.text('file')
    const find = verbatim(edit, 'find')
    const put = verbatim(edit, 'put')
    edit.noOthers()
    const present = edited[file] ?? base[file]
    if (present === undefined) {
      edit.wrong('file', `"${file}" is no file of the attempt that this one is based on.`)
      return
    }
    const times = present.split(find).length - 1
    if (find === '' || times !== 1) edit.wrong('find', `this text is there ${times} times in ${file}; it should be there once.`)
    else edited[file] = present.replace(find, () => put)
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
