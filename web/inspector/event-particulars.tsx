import type { LabEvent } from '../../engine/worker/inspection-protocol.ts'
import { count } from '../format.ts'
import { CallChain } from './call-chain.tsx'
import { goTo } from './inspector-store.ts'

/** What an event says beyond its line: where, by which instruction, with what, and on whose behalf. */
export function EventParticulars(props: { event: LabEvent }) {
  const { event } = props
  return (
    <div className="particulars">
      <dl className="pairs">
        <dt>when</dt>
        <dd>
          after {count(event.instructions)} instructions, event {count(event.sequence)}
        </dd>
        <dt>where</dt>
        <dd>
          EL{event.el}{' '}
          <button
            type="button"
            className="link mono"
            title={`Go to the page of this code: el${event.el}:${event.pc}`}
            onClick={() => void goTo(`el${event.el}:${event.pc}`)}
          >
            {event.pc}
          </button>{' '}
          <span className="mono">{event.symbol}</span>
        </dd>
        {Object.entries(event.details).map(([name, value]) => (
          <div key={name} className="pair">
            <dt>{name}</dt>
            <dd className="mono">{value}</dd>
          </div>
        ))}
      </dl>
      <CallChain frames={event.callChain} />
    </div>
  )
}
