import { PROBE_QUESTIONS, PROBE_SUBJECTS, taintOf } from '../probe-facts.ts'
import { useLab } from '../store.ts'

/** `SIGSEGV(SEGV_ACCERR)`: the reason goes below. */
function Value(props: { text: string }) {
  const [, what, why] = /^(\w+)\((.*)\)$/.exec(props.text) ?? []
  if (what === undefined) return props.text
  return (
    <>
      {what} <small>{why}</small>
    </>
  )
}

/** What the probe found out: one row for each VM it asked for, one column for each thing it tried. */
export function Answers() {
  const facts = useLab(state => state.facts)
  const value = (key: string) => facts.findLast(fact => fact.key === key)?.value
  const kvm = value('kvm.open')
  return (
    <section className="answers" aria-labelledby="answers-title">
      <header className="panel-head">
        <h2 id="answers-title">What the machine answers</h2>
        <span className="aside">
          {kvm === undefined
            ? 'filled in from the probe’s lines on the console'
            : kvm === 'fd'
              ? `/dev/kvm opened, kernel taint before ${value('taint') ?? 'unknown'}`
              : `/dev/kvm: ${kvm}, so no VM can be asked for`}
        </span>
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by key */}
      <section className="answers-scroll" tabIndex={0} aria-label="Results of the probe">
        <table>
          <thead>
            <tr>
              <td />
              {PROBE_QUESTIONS.map(question => (
                <th key={question.key} scope="col" title={question.meaning}>
                  {question.title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {PROBE_SUBJECTS.map(subject => (
              <tr key={subject.prefix}>
                <th scope="row" className={subject.prefix}>
                  {subject.title}
                  <small>type {value(`vm.${subject.prefix}.type`) ?? subject.type}</small>
                </th>
                {PROBE_QUESTIONS.map(question => {
                  const key = `vm.${subject.prefix}.${question.key}`
                  const found = value(key)
                  const tainted = question.key === 'taint' && found !== undefined && found !== '0'
                  return (
                    <td key={question.key} data-key={key} className={tainted ? 'tainted' : undefined}>
                      {found === undefined ? <span className="unanswered">–</span> : question.key === 'taint' ? taintOf(found) : <Value text={found} />}
                    </td>
                  )
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </section>
  )
}
