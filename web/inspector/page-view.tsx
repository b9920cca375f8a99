import { useState } from 'react'
import type { Answer, LabEvent, PageDetail, PageStateCode } from '../../engine/worker/inspection-protocol.ts'
import { count, hex } from '../format.ts'
import { chainLine } from './call-chain.tsx'
import { EventParticulars } from './event-particulars.tsx'
import { PageContents } from './page-contents.tsx'
import { WalkRail } from './walk-rail.tsx'

/** Labels of the kernel's enum pkvm_page_state, by the protocol's code. */
export const STATE_NAMES: Readonly<Record<PageStateCode, string>> = {
  0: 'OWNED',
  1: 'SHARED_OWNED',
  2: 'SHARED_BORROWED',
  3: 'NOPAGE',
  4: 'unknown',
}

/** Who a page belongs to, for the colour beside the words. */
export function ownerHue(owner: string): 'host' | 'hyp' | 'vm' | 'none' {
  if (/^host/i.test(owner)) return 'host'
  if (/^hyp/i.test(owner)) return 'hyp'
  return /^(vm|guest|pvm)/i.test(owner) ? 'vm' : 'none'
}

/**
 * Everything about one page: what it is, how the hardware says so, how it came to be.
 * @param at offset of the byte that was asked for
 */
export function PageView(props: { detail: PageDetail; at?: number | null }) {
  const { detail, at = null } = props
  const hue = ownerHue(detail.owner)
  // One reason often stands in the way of everything; it is told once.
  const why = detail.host.known ? null : detail.host.why
  const sameWhy = (part: Answer<unknown>) => !part.known && part.why === why
  return (
    <div className="page-view">
      <dl className="pairs states">
        <dt>host</dt>
        <dd data-testid="page-host">
          <Side side={detail.host} told />
        </dd>
        <dt>hypervisor</dt>
        <dd data-testid="page-hyp">
          <Side side={detail.hyp} told={sameWhy(detail.hyp)} />
        </dd>
        <dt>owner</dt>
        <dd data-testid="page-owner" className={`owner ${hue}`}>
          {detail.owner}
        </dd>
        {detail.region !== null && (
          <>
            <dt>use</dt>
            <dd>{detail.region}</dd>
          </>
        )}
        {detail.symbol !== null && (
          <>
            <dt>starts in</dt>
            <dd className="mono">{detail.symbol}</dd>
          </>
        )}
      </dl>
      {why !== null && <p className="unknown why">{why}</p>}
      {!sameWhy(detail.record) && <Record record={detail.record} />}
      {!sameWhy(detail.hostWalk) && (
        <section aria-labelledby="host-walk-title">
          <h3 id="host-walk-title">Host stage 2</h3>
          <Walk walk={detail.hostWalk} label="Host stage 2 walk" outcome={hue} />
        </section>
      )}
      {detail.guests.map(guest => (
        <section key={`${guest.handle} ${guest.gfn}`} aria-label={`Stage 2 of VM ${hex(guest.handle)}`}>
          <h3>
            Stage 2 of VM <span className="mono">{hex(guest.handle)}</span>, gfn <span className="mono">{hex(guest.gfn)}</span>
          </h3>
          <Walk walk={guest.walk} label={`Stage 2 walk of VM ${hex(guest.handle)}`} outcome="vm" />
        </section>
      ))}
      <History events={detail.history} />
      <PageContents detail={detail} at={at} />
    </div>
  )
}

/** @param props.told the reason of not knowing stands elsewhere */
function Side(props: { side: PageDetail['host']; told: boolean }) {
  const { side, told } = props
  if (!side.known) return <span className="unknown">unknown{!told && `: ${side.why}`}</span>
  const name = STATE_NAMES[side.value.state]
  return (
    <>
      <b className="state-name">{name}</b> <span className="in-words">{side.value.words.replace(`${name}: `, '')}</span>
    </>
  )
}

function Walk(props: { walk: Answer<Parameters<typeof WalkRail>[0]['walk']>; label: string; outcome: string }) {
  const { walk, label, outcome } = props
  return walk.known ? <WalkRail walk={walk.value} label={label} outcome={outcome} /> : <p className="unknown">{walk.why}</p>
}

/** pKVM's own record, its bits laid out as in the register diagrams: high to the left. */
function Record(props: { record: PageDetail['record'] }) {
  const { record } = props
  return (
    <section aria-labelledby="record-title">
      <h3 id="record-title">
        hyp_page {record.known && <span className="mono">{record.value.raw}</span>}
      </h3>
      {record.known ? (
        <>
          <dl className="bits">
            {record.value.fields.map(field => (
              <div key={field.name}>
                <dd className="mono">{field.value}</dd>
                <dt>
                  {field.name.replace(/^_+/, '')}
                  <small className="mono">{field.bits}</small>
                </dt>
              </div>
            ))}
          </dl>
          <p className="remark">
            the hypervisor’s record, at <code>{hex(record.value.address)}</code>
          </p>
        </>
      ) : (
        <p className="unknown">{record.why}</p>
      )}
    </section>
  )
}

const FIRST_SHOWN = 40

/** Newest first. */
function History(props: { events: readonly LabEvent[] }) {
  const { events } = props
  const [all, setAll] = useState(false)
  const newest = [...events].reverse()
  const shown = all ? newest : newest.slice(0, FIRST_SHOWN)
  return (
    <section className="history" aria-labelledby="history-title">
      <h3 id="history-title">History</h3>
      {events.length === 0 ? (
        <p className="remark">No change of this page is in the event log: it is as it was when the log began.</p>
      ) : (
        <ol aria-label="Changes of this page, newest first">
          {shown.map(event => (
            <li key={event.sequence} data-kind={event.kind}>
              <details>
                <summary>
                  <time className="mono">{count(event.instructions)}</time>
                  <span className="what">
                    {event.text}
                    <small className="mono">{chainLine(event)}</small>
                  </span>
                </summary>
                <EventParticulars event={event} />
              </details>
            </li>
          ))}
        </ol>
      )}
      {shown.length < newest.length && (
        <button type="button" className="link" onClick={() => setAll(true)}>
          Show {count(newest.length - shown.length)} older
        </button>
      )}
    </section>
  )
}
