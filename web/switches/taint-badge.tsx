import { useEffect, useId, useRef } from 'react'
import type { LabEvent, TaintSummary } from '../../engine/worker/inspection-protocol.ts'
import { COMMANDS } from '../commands.ts'
import { CommandButton } from '../components/command-button.tsx'
import { count } from '../format.ts'
import { CallChain } from '../inspector/call-chain.tsx'
import { eventLog, useEventLog } from '../inspector/event-log.ts'
import { useLab } from '../store.ts'
import { type TaintChange, useSwitches } from './switch-store.ts'

/** Letters and value: `U (64)`. */
export function taintText({ mask, letters }: TaintSummary): string {
  return mask === 0 ? '0' : `${letters.map(flag => flag.letter).join('') || '?'} (${mask})`
}

/** What a lab kernel's flags come from, by bit. The kernel's own word is kept beside it. */
const REASONS: Readonly<Record<number, string>> = {
  6: 'user space asked for something that marks the kernel; in the lab, the first protected VM',
  7: 'the kernel has died (oops) and carried on',
  9: 'the kernel has warned about itself; in the lab, kvm-arm.mode=nested on a CPU that cannot',
  12: 'a module from outside the kernel’s tree is loaded',
  13: 'a module without a signature is loaded',
  14: 'a CPU did not schedule for a long while',
}

/** `tainted_mask`, read from the machine's memory, with what it means and who set it a click away. */
export function TaintBadge() {
  const taint = useSwitches(state => state.facts?.taint ?? null)
  const id = useId()
  const panel = useRef<HTMLDivElement>(null)
  const lit = taint?.known === true && taint.value.mask !== 0
  const text = taint === null ? '–' : taint.known ? taintText(taint.value) : 'unknown'
  return (
    <div className={lit ? 'taint lit' : 'taint'}>
      <button
        type="button"
        className="taint-button"
        popoverTarget={id}
        aria-label={`Kernel taint: ${text}. What it means`}
        data-testid="taint"
        data-taint={taint?.known === true ? taint.value.mask : ''}
      >
        <span className="taint-value">{text}</span>
        <span className="taint-label">{lit ? 'tainted' : 'taint'}</span>
      </button>
      <span className="unseen" role="status">
        {lit ? `The kernel is tainted: ${text}` : ''}
      </span>
      <div ref={panel} id={id} popover="auto" className="taint-panel" role="dialog" aria-label="Kernel taint">
        <TaintParticulars />
        <CloseOnChoice panel={panel} />
      </div>
    </div>
  )
}

/** The inspector has the answer: the popover makes way for it. */
function CloseOnChoice({ panel }: { panel: React.RefObject<HTMLDivElement | null> }) {
  const can = useLab(COMMANDS.inspectTaint.enabled)
  useEffect(() => {
    const at = panel.current
    const close = (event: MouseEvent) => {
      if (event.target instanceof Element && event.target.closest('.taint-who') !== null) at?.hidePopover()
    }
    at?.addEventListener('click', close)
    return () => at?.removeEventListener('click', close)
  }, [panel])
  return can ? (
    <p className="taint-who">
      <CommandButton command={COMMANDS.inspectTaint} />
    </p>
  ) : null
}

function TaintParticulars() {
  const taint = useSwitches(state => state.facts?.taint ?? null)
  const changes = useSwitches(state => state.taintChanges)
  const reported = useLab(state => state.facts.filter(fact => /^vm\.(protected|again)\.create$/.test(fact.key) && fact.value === 'fd').length)
  useEventLog()
  const events = eventLog.all('taint')
  // The probe tells at the creation, the event log at the first run: whichever knows of more.
  const created = Math.max(reported, eventLog.all('vm').filter(event => /^protected .* created$/.test(event.text)).length)
  if (taint === null) return <p>No machine runs, so there is no kernel to ask.</p>
  if (!taint.known) return <p>The lab cannot tell: {taint.why}.</p>
  const { mask, letters } = taint.value
  return (
    <>
      <p>
        <code>tainted_mask</code> is <b className="mono">{mask}</b>
        {mask === 0 ? ': nothing has happened that kernel developers would want to know first.' : '. A bit once set stays until reset.'}
      </p>
      {letters.length > 0 && (
        <dl className="taint-letters">
          {letters.map(flag => (
            <div key={flag.bit}>
              <dt className="mono">
                {flag.letter} <small>bit {flag.bit}</small>
              </dt>
              <dd>
                {REASONS[flag.bit] ?? flag.meaning}
                {flag.bit in REASONS && <small>the kernel’s word for it: {flag.meaning}</small>}
              </dd>
            </div>
          ))}
        </dl>
      )}
      {events.length > 0 ? events.map(event => <ByEvent key={event.sequence} event={event} />) : changes.map(change => <ByFrames key={change.by} change={change} />)}
      {created > 0 && mask !== 0 && (
        <p>
          {created === 1 ? 'One protected VM has' : `${created} protected VMs have`} been created since reset; the mask has changed{' '}
          {times(events.length || changes.length)}.{' '}
          {created === 1
            ? 'Another one would set the same bit again, which changes nothing.'
            : 'Only the first could set the bit: setting it again changes nothing.'}
        </p>
      )}
    </>
  )
}

function times(n: number): string {
  return n === 1 ? 'once' : `${n} times`
}

/** The instruction itself, from the event log. */
function ByEvent({ event }: { event: LabEvent }) {
  return (
    <div className="taint-set">
      <p>
        {event.text}, at instruction <b className="mono">{count(event.instructions)}</b>, EL{event.el}, in <code>{event.symbol || event.pc}</code>
      </p>
      {event.callChain.length > 0 && <CallChain frames={event.callChain} />}
    </div>
  )
}

/** What the page saw, while no event tells more. */
function ByFrames({ change }: { change: TaintChange }) {
  return (
    <p>
      Became <b className="mono">{change.mask}</b> between instructions <b className="mono">{count(change.after)}</b> and{' '}
      <b className="mono">{count(change.by)}</b>.
    </p>
  )
}
