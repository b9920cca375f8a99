import type { EventLog } from './event-log.ts'

/** The log as JSON text in pieces, one event a line: what `-dump-events` writes. */
export function* eventsJson(log: EventLog): Generator<string> {
  const head = { total: log.total, dropped: log.dropped, limits: log.limits() }
  yield `${JSON.stringify(head, null, 1).slice(0, -2)},\n "events": [`
  let separator = '\n'
  for (let after = 0; ; ) {
    const events = log.after(after, 1000)
    if (events.length === 0) break
    after = events.at(-1)!.sequence
    const lines: string[] = []
    for (const e of events) {
      lines.push(`${separator}  ${JSON.stringify(e)}`)
      separator = ',\n'
    }
    yield lines.join('')
  }
  yield '\n ]\n}\n'
}
