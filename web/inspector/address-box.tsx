import { useState } from 'react'
import { goTo, useInspector } from './inspector-store.ts'
import { WalkRail } from './walk-rail.tsx'

export const ADDRESS_BOX = 'inspect-address'

/** Type what you know, get to its page, and see how the address led there. */
export function AddressBox() {
  const [text, setText] = useState('')
  const answer = useInspector(state => state.answer)
  return (
    <div className="address-box">
      <form
        onSubmit={event => {
          event.preventDefault()
          void goTo(text)
        }}
      >
        <label htmlFor={ADDRESS_BOX}>Address or symbol</label>
        <div className="address-row">
          <input
            id={ADDRESS_BOX}
            type="text"
            className="field mono"
            spellCheck={false}
            autoComplete="off"
            autoCapitalize="off"
            placeholder="tainted_mask"
            aria-describedby={`${ADDRESS_BOX}-forms`}
            value={text}
            onChange={event => setText(event.target.value)}
          />
          <button type="submit" className="button">
            Go
          </button>
        </div>
        <p id={`${ADDRESS_BOX}-forms`} className="remark forms">
          Physical <code>0x43ca3000</code>, virtual <code>el1:0xffff…</code> or <code>el2:0x…</code>, a VM’s own{' '}
          <code>vm 0x1001:0x40000000</code>, or a kernel symbol.
        </p>
      </form>
      <div role="status">
        {answer !== null &&
          (answer.answer.known ? (
            <div className="found">
              <p>
                <code>{answer.text}</code> {answer.answer.value.explanation}
              </p>
              {answer.answer.value.walk !== null && (
                <details>
                  <summary>How the address is translated</summary>
                  <WalkRail walk={answer.answer.value.walk} label={`Translation of ${answer.text}`} />
                </details>
              )}
            </div>
          ) : (
            <p className="found not">
              <code>{answer.text}</code> {answer.answer.why}
            </p>
          ))}
      </div>
    </div>
  )
}
