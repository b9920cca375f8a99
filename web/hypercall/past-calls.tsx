import type { HostCallAnswer } from '../../engine/worker/inspection-protocol.ts'
import { CommandButton } from '../components/command-button.tsx'
import { count } from '../format.ts'
import { useInspection } from '../inspection-store.ts'
import { HYPERCALL_COMMANDS } from './hypercall-commands.ts'
import { changesOf, type PastCall, repeat, shortName, useHypercall } from './hypercall-store.ts'

/** Pages of one call that are told; more are counted. */
const MOST_CHANGES = 12

/** The calls made so far, newest first, each with its answer and what it changed. */
export function PastCalls() {
  const past = useHypercall(state => state.past)
  return (
    <div className="past-calls" role="log" aria-label="Calls made" aria-live="polite">
      {past.length === 0 ? (
        <p className="remark">
          The processor is taken to an <code>hvc #0</code> of the host’s own kernel with these registers; the host’s are
          put back afterwards. Each answer is the hypervisor’s own. To begin with: select a page that is the host’s
          alone, share it with <code>host_share_hyp</code>, then share it again.
        </p>
      ) : (
        <>
          <ol>
            {past.map(it => (
              <li key={it.key} className={it.takenBack ? 'past-call taken-back' : 'past-call'}>
                <Call past={it} />
              </li>
            ))}
          </ol>
          <CommandButton command={HYPERCALL_COMMANDS.clear} label="Empty the list" />
        </>
      )}
    </div>
  )
}

function Call({ past }: { past: PastCall }) {
  const { answer } = past
  const names = useHypercall(state => state.names)
  return (
    <>
      <div className="past-head">
        <code>
          {answer === null
            ? `${past.call}(${past.args.join(', ')})`
            : answer.text.replace(answer.name, shortName(answer.name, names))}
        </code>
        <Result answer={answer} />
        <button type="button" className="link" onClick={() => repeat(past)}>
          again
        </button>
      </div>
      {answer === null ? <p className="rule">{past.why}</p> : <Particulars answer={answer} />}
      {past.takenBack && <p className="remark">The machine has gone back to before this call since.</p>}
    </>
  )
}

/** The one word that the call comes to. */
function Result({ answer }: { answer: HostCallAnswer | null }) {
  if (answer === null) return <strong className="answer bad">not made</strong>
  if (answer.end !== 'returned')
    return <strong className="answer bad">{answer.end === 'lost' ? 'no answer' : answer.end}</strong>
  const word = answer.result === '' ? answer.status : answer.result
  return (
    <strong className={word.startsWith('-') || answer.status === 'NOT_SUPPORTED' ? 'answer bad' : 'answer'}>
      {word}
    </strong>
  )
}

function Particulars({ answer }: { answer: HostCallAnswer }) {
  const returned = answer.end === 'returned'
  const changes = answer.undone ? [] : changesOf(answer)
  const [x0, x1] = answer.registers
  return (
    <>
      {answer.rule !== '' && <p className="rule">{answer.rule}</p>}
      {changes.length > 0 && (
        <ul className="changes">
          {changes.slice(0, MOST_CHANGES).map(event => (
            <li key={event.sequence}>
              <button
                type="button"
                className="link"
                title="Go to this page on the map"
                onClick={() => useInspection.getState().select(event.physical ?? null)}
              >
                {event.text}
              </button>
            </li>
          ))}
          {changes.length > MOST_CHANGES && (
            <li className="quiet">and {count(changes.length - MOST_CHANGES)} more changes</li>
          )}
        </ul>
      )}
      <p className="quiet mono">
        {returned && `x0 ${x0} (${answer.status}) · x1 ${x1} · `}
        {count(answer.instructions)} instructions from {count(answer.at)}
        {changes.length === 0 && returned ? ' · no page changed' : ''}
      </p>
    </>
  )
}
