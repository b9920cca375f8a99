import { useId, useMemo } from 'react'
import type { Prediction } from '../../lessons/format.ts'
import { progressOf, useLessons } from './lesson-store.ts'
import { setPrediction } from './open-lesson.ts'
import { Html } from './html.tsx'
import { renderInline, renderProse } from './prose.ts'

/** Guess, run, compare. Nothing here is marked: the machine says which it was. */
export function PredictionBox({ prediction }: { prediction: Prediction }) {
  const { id, question, choices, compare } = prediction
  const guess = useLessons(state => progressOf(state.open ?? '', state).predictions[id])
  const outcome = useLessons(state => progressOf(state.open ?? '', state).outcomes[id])
  const name = useId()
  const html = useMemo(
    () => ({
      question: renderInline(question),
      choices: choices.map(choice => renderInline(choice.text)),
      compare: renderProse(compare),
    }),
    [question, choices, compare],
  )
  // Whoever has not guessed yet still may, though the machine knows already.
  const told = guess !== undefined && outcome !== undefined
  return (
    <fieldset className="prompt prediction" data-prediction={id} data-told={told}>
      <legend className="label">{told ? 'You guessed, the machine answered' : 'Guess first'}</legend>
      <Html as="p" className="prompt-question" html={html.question} />
      <div className="choices">
        {choices.map(({ key }, i) => (
          <label key={key} className="choice" data-chosen={guess === key} data-outcome={told && outcome === key}>
            <input
              type="radio"
              name={name}
              value={key}
              checked={guess === key}
              disabled={told}
              onChange={() => setPrediction(id, key)}
            />
            <Html html={html.choices[i] ?? ''} />
            {told && (outcome === key || guess === key) && (
              <small className="choice-word">
                {outcome === key ? (guess === key ? 'your guess, and so it is' : 'so it is') : 'your guess'}
              </small>
            )}
          </label>
        ))}
      </div>
      {guess !== undefined && !told && <p className="prompt-note">Noted. Run, and compare.</p>}
      {told && (
        <div className="compare" role="status">
          <Html as="div" className="prose" html={html.compare} />
        </div>
      )}
    </fieldset>
  )
}
