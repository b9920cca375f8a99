import { useId } from 'react'

/** One of a few, side by side: a radio group. `value` may match none of the choices. */
export function Segments<T extends string | number>(props: {
  label: string
  value: T | null
  choices: readonly { value: T; label: string }[]
  onChoose(value: T): void
}) {
  const name = useId()
  return (
    <div className="segments" role="radiogroup" aria-label={props.label}>
      {props.choices.map(choice => (
        <label key={choice.value}>
          <input
            type="radio"
            name={name}
            checked={props.value === choice.value}
            onChange={() => props.onChoose(choice.value)}
          />
          <span>{choice.label}</span>
        </label>
      ))}
    </div>
  )
}
