import { CONDITIONS } from '../../../engine/isa/operands-immediate.ts'
import { systemOperations } from '../../../engine/isa/system-operations.ts'
import { catalogue } from './catalogue.ts'
import { DIRECTIVES } from './directives.ts'
import { definitionsOf, spotAt } from './outline.ts'
import { GENERAL_REGISTERS, registerRole, SYSTEM_REGISTERS, systemRegister, VECTOR_REGISTERS } from './registers.ts'

export interface Offer {
  readonly label: string
  readonly kind: 'mnemonic' | 'directive' | 'register' | 'system' | 'label' | 'constant' | 'macro' | 'option' | 'file'
  readonly detail: string
  readonly documentation?: string
  /** Earlier first. */
  readonly order: string
}

const BARRIERS = ['sy', 'st', 'ld', 'ish', 'ishst', 'ishld', 'nsh', 'nshst', 'nshld', 'osh', 'oshst', 'oshld']
const PSTATE = ['daifset', 'daifclr', 'spsel']

/**
 * What can be written at a place.
 * @param line the line's text up to the caret
 * @param files all sources of the workspace
 */
export function offersAt(line: string, file: string, files: Readonly<Record<string, string>>): Offer[] {
  const include = /^\s*\.include\s+"([^"]*)$/i.exec(line)
  if (include !== null)
    return Object.keys(files)
      .filter(path => path !== file && /\.(?:s|S|inc|h)$/.test(path))
      .map(path => ({ label: path, kind: 'file', detail: 'file of this workspace', order: path }))
  const code = line.replace(/"(?:\\.|[^"\\])*"/g, '""')
  if (/\/\/|"[^"]*$|^#/.test(code.replace(/""/g, ''))) return []
  // The word being written stands last.
  const spot = spotAt(line, line.length + 1)
  const writing = spot.kind === 'mnemonic' || spot.kind === 'directive' || spot.kind === 'label'
  const statement = spot.kind === 'none' ? spot.mnemonic : writing ? '' : spot.mnemonic
  if (statement === '')
    return spot.word.startsWith('.') ? directives() : [...mnemonics(), ...macros(files), ...directives()]
  const offers: Offer[] = []
  if (['mrs', 'msr'].includes(statement)) {
    offers.push(...SYSTEM_REGISTERS.map(system))
    if (statement === 'msr') offers.push(...PSTATE.map(option('PSTATE field')))
  }
  if (['dc', 'ic', 'at', 'tlbi'].includes(statement)) {
    offers.push(
      ...systemOperations
        .filter(known => known.mnemonic === statement)
        .map(known => ({
          label: known.name,
          kind: 'option' as const,
          detail: known.register ? 'takes a register' : '',
          order: `0${known.name}`,
        })),
    )
  }
  if (['dmb', 'dsb', 'isb'].includes(statement)) return BARRIERS.map(option('domain and kind of access'))
  if (/^(?:csel|csinc|csinv|csneg|cset|csetm|cinc|cinv|cneg|ccmp|ccmn|fcsel|fccmp)$/.test(statement) && /,/.test(line))
    offers.push(...CONDITIONS.map(String).map(option('condition')))
  if (!statement.startsWith('.')) offers.push(...registers(statement))
  offers.push(...names(files, file))
  return offers
}

let allMnemonics: readonly Offer[] | undefined

function mnemonics(): readonly Offer[] {
  return (allMnemonics ??= [...catalogue].map(([name, forms]) => ({
    label: name,
    kind: 'mnemonic' as const,
    detail: forms[0]?.row.name ?? '',
    documentation: `\`\`\`a64\n${forms
      .slice(0, 10)
      .map(form => form.text)
      .join('\n')}\n\`\`\``,
    order: `1${name}`,
  })))
}

function directives(): Offer[] {
  return Object.entries(DIRECTIVES).map(([label, { form, words }]) => ({
    label,
    kind: 'directive',
    detail: form,
    documentation: words,
    order: `3${label}`,
  }))
}

function registers(mnemonic: string): Offer[] {
  const vector =
    /^(?:f|s[cq]|u[cq]|v|ld[1-4]|st[1-4]|mov|dup|ins|umov|smov|add|sub|mul|ldr|str|ldp|stp|ldur|stur|aes|sha|pmull|zip|uzp|trn|ext|tbl|tbx)/.test(
      mnemonic,
    )
  const offer =
    (order: string) =>
    (label: string): Offer => ({
      label,
      kind: 'register',
      detail: registerRole(label) ?? '',
      order: `${order}${/\d/.test(label) ? label.replace(/\d+/, n => n.padStart(2, '0')) : `z${label}`}`,
    })
  return [...GENERAL_REGISTERS.map(offer('1')), ...(vector ? VECTOR_REGISTERS.map(offer('4')) : [])]
}

function system(label: string): Offer {
  const found = systemRegister(label)
  return {
    label,
    kind: 'system',
    detail: found?.words === '' ? 'system register' : (found?.words ?? ''),
    documentation: `\`${found?.encoding ?? ''}\``,
    order: `0${label}`,
  }
}

const option =
  (detail: string) =>
  (label: string): Offer => ({ label, kind: 'option', detail, order: `0${label}` })

function macros(files: Readonly<Record<string, string>>): Offer[] {
  return Object.entries(files).flatMap(([path, text]) =>
    /\.(?:s|S|inc|h)$/.test(path)
      ? definitionsOf(text)
          .filter(found => found.kind === 'macro')
          .map(found => ({
            label: found.name,
            kind: 'macro' as const,
            detail: path,
            documentation: found.comment,
            order: `0${found.name}`,
          }))
      : [],
  )
}

function names(files: Readonly<Record<string, string>>, here: string): Offer[] {
  return Object.entries(files).flatMap(([path, text]) =>
    /\.(?:s|S|inc|h)$/.test(path)
      ? definitionsOf(text)
          .filter(found => found.kind !== 'macro')
          .map(found => ({
            label: found.name,
            kind: found.kind as 'label' | 'constant',
            detail: path === here ? `line ${found.line}` : path,
            documentation: found.comment,
            order: `${path === here ? 2 : 3}${found.name}`,
          }))
      : [],
  )
}
