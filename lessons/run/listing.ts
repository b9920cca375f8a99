/** A run as lines of text, for those who write checks. */
import type { LessonRun } from './lesson-run.ts'

export async function runListing(run: LessonRun): Promise<string[]> {
  const lines: string[] = []
  const { script } = run
  if (script !== null) {
    lines.push(`script: ${script.ending.kind}${script.ending.kind === 'threw' ? ` ${script.ending.error.name}: ${script.ending.error.message}` : ''}`)
    lines.push('', 'prints', ...script.prints.map(line => `  ${line}`))
    lines.push('', 'answers', ...Object.entries(script.answers).map(([name, value]) => `  ${name} = ${typeof value === 'bigint' ? `${value}n` : plain(value)}`))
    lines.push('', 'calls')
    for (const call of script.calls) {
      const end = call.error === null ? (call.result ?? '') : `${call.error.name} ${call.error.code}`
      lines.push(`  ${call.parent === null ? '' : '    '}${call.text} = ${end}  [${call.began}..${call.ended}]`)
    }
  }
  if (run.hostCalls.length > 0) lines.push('', 'hypercalls by hand', ...run.hostCalls.map(call => `  ${call.text} = ${call.result} (${call.end})`))
  lines.push('', 'events')
  for (const event of await run.events()) {
    lines.push(`  ${event.instructions} EL${event.el} ${event.kind}: ${event.text}${event.physical === undefined ? '' : ` @0x${event.physical.toString(16)}`} ${JSON.stringify(event.details)}`)
  }
  const facts = await run.facts()
  lines.push('', `facts: mode ${words(facts.mode)}, phase ${words(facts.phase)}, taint ${facts.taint.known ? facts.taint.value.mask : facts.taint.why}, gate ${facts.gate.option}`)
  for (const vm of await run.vms()) lines.push(`VM 0x${vm.handle.toString(16)}: ${vm.protected ? 'protected' : 'normal'}, ${vm.state}, owns ${vm.pagesOwned}, shares ${vm.pagesShared}, borrows ${vm.pagesBorrowed}`)
  return lines
}

function words(told: { known: true; value: string } | { known: false; why: string }): string {
  return told.known ? told.value : told.why
}

function plain(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) => (typeof item === 'bigint' ? `${item}n` : item instanceof Uint8Array ? `${item.length} bytes` : item)) ?? 'undefined'
}
