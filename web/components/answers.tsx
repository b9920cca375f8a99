import { useLab } from '../store.ts'

/** What the probe found out, as a table beside the raw lines. */
export function Answers() {
  const facts = useLab(state => state.facts)
  return (
    <section className="answers" aria-labelledby="answers-title">
      <header className="panel-head">
        <h2 id="answers-title">What the machine answers</h2>
        <span className="aside">read from the probe’s lines on the console</span>
      </header>
      <div className="answers-scroll">
        <ul>{facts.map((fact, index) => <li key={`${index}-${fact.key}`}><code>{fact.key}={fact.value}</code></li>)}</ul>
      </div>
    </section>
  )
}
