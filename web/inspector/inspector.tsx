import { useEffect, useRef } from 'react'
import { COMMANDS, runCommand } from '../commands.ts'
import { CommandButton } from '../components/command-button.tsx'
import { CloseIcon } from '../components/icons.tsx'
import { count, hex } from '../format.ts'
import { useLab } from '../store.ts'
import { AddressBox } from './address-box.tsx'
import { EventParticulars } from './event-particulars.tsx'
import { openEvent, useInspector } from './inspector-store.ts'
import { usePageDetail } from './page-detail.ts'
import { PageView } from './page-view.tsx'

const PAGE = 4096

/** The right-hand panel: the page, or the moment, that the learner pointed at. */
export function Inspector() {
  const { physical, detail } = usePageDetail()
  const shownEvent = useInspector(state => state.event)
  const scroller = useRef<HTMLElement>(null)
  // biome-ignore lint/correctness/useExhaustiveDependencies: what was pointed at last is to be seen from its start
  useEffect(() => {
    if (scroller.current !== null) scroller.current.scrollTop = 0
  }, [physical, shownEvent])
  const asked = useInspector(({ answer }) => (answer?.answer.known ? answer.answer.value.physical : null))
  const none = useLab(state => ['empty', 'fetching', 'building'].includes(state.machine.state))
  return (
    <section className="inspector" aria-labelledby="inspector-title">
      <header className="panel-head">
        <h2 id="inspector-title">Inspector</h2>
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by key */}
      <section ref={scroller} className="inspector-scroll" tabIndex={0} aria-label="What the inspector found">
        <AddressBox />
        <OpenEvent />
        {physical !== null && (
          <header className="page-head">
            <h3 className="mono" data-testid="page-address">
              {hex(physical)}
            </h3>
            <span className="mono quiet">pfn {hex(physical / PAGE)}</span>
            <span className="page-steps">
              {[COMMANDS.previousPage, COMMANDS.nextPage].map(command => (
                <button
                  key={command.id}
                  type="button"
                  className="tool"
                  aria-label={command.title}
                  title={`${command.title}  ${command.keyLabel}`}
                  onClick={() => runCommand(command)}
                >
                  {command === COMMANDS.previousPage ? '‹' : '›'}
                </button>
              ))}
            </span>
          </header>
        )}
        {detail !== null && <PageView key={detail.physical} detail={detail} at={asked === null || asked < detail.physical || asked >= detail.physical + PAGE ? null : asked - detail.physical} />}
        {physical === null && shownEvent === null && (
          <p className="remark">
            {none
              ? 'Boot a machine, then point at any of its pages.'
              : 'Point at a page of the map or at an event, or type an address above.'}
          </p>
        )}
      </section>
    </section>
  )
}

function OpenEvent() {
  const event = useInspector(state => state.event)
  const folded = useInspector(state => state.folded)
  if (event === null) return null
  return (
    <section className="open-event" data-kind={event.kind} aria-labelledby="open-event-title">
      <header>
        <h3 id="open-event-title">
          <button type="button" className="fold" aria-expanded={!folded} onClick={() => useInspector.setState({ folded: !folded })}>
            <span className="kind">{event.kind}</span> {event.text}
          </button>
        </h3>
        <button type="button" className="tool" aria-label={`Close event ${count(event.sequence)}`} onClick={() => openEvent(null)}>
          <CloseIcon />
        </button>
      </header>
      {!folded && (
        <>
          <EventParticulars key={event.sequence} event={event} />
          <p className="event-actions">
            <CommandButton command={COMMANDS.revisit} />
          </p>
        </>
      )}
    </section>
  )
}
