import { useId, useMemo, useState } from 'react'
import type { Question } from '../../lessons/format.ts'
import { progressOf, sideOf, useLessons } from './lesson-store.ts'
import { setAnswer } from './open-lesson.ts'
import { Html } from './html.tsx'
import { renderInline } from './prose.ts'
import { checkAgain } from './run-lesson.ts'

/** A question that a check marks: at once when a run stands, else with the next. */
export function QuestionBox({ question: { id, question, choices } }: { question: Question }) {
  const answer = useLessons(state => sideOf(progressOf(state.open ?? '', state)).answers[id])
  const standing = useLessons(state => state.standing)
  const name = useId()
  const html = useMemo(
    () => ({ question: renderInline(question), choices: choices.map(choice => renderInline(choice.text)) }),
    [question, choices],
  )
  const give = (value: string) => {
    setAnswer(id, value)
    void checkAgain()
  }
  return (
    <fieldset className="prompt question" data-question={id}>
      <legend className="label">Question</legend>
      <Html as="p" className="prompt-question" id={`${name}-q`} html={html.question} />
      {choices.length === 0 ? (
        <Typed key={answer ?? ''} labelled={`${name}-q`} answer={answer ?? ''} onGive={give} />
      ) : (
        <div className="choices">
          {choices.map(({ key }, i) => (
            <label key={key} className="choice" data-chosen={answer === key}>
              <input type="radio" name={name} value={key} checked={answer === key} onChange={() => give(key)} />
              <Html html={html.choices[i] ?? ''} />
            </label>
          ))}
        </div>
      )}
      {answer !== undefined && !standing && <p className="prompt-note">Your answer is looked at with the next run.</p>}
    </fieldset>
  )
}

function Typed(props: { labelled: string; answer: string; onGive(answer: string): void }) {
  const [text, setText] = useState(props.answer)
  return (
    <form
      className="typed"
      onSubmit={event => {
        event.preventDefault()
        if (text.trim() !== '') props.onGive(text.trim())
      }}
    >
      <input
        type="text"
        className="field"
        aria-labelledby={props.labelled}
        value={text}
        autoComplete="off"
        spellCheck={false}
        onChange={event => setText(event.target.value)}
      />
      <button type="submit" className="button" disabled={text.trim() === '' || text.trim() === props.answer}>
        Answer
      </button>
    </form>
  )
}
