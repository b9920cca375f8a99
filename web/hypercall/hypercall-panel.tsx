import { useEffect } from 'react'
import { runCommand } from '../commands.ts'
import { hex } from '../format.ts'
import { useInspection } from '../inspection-store.ts'
import { useLab } from '../store.ts'
import { CallBox } from './call-box.tsx'
import { HYPERCALL_COMMANDS } from './hypercall-commands.ts'
import {
  argumentNames,
  chosenCall,
  learnNames,
  putSelectedPage,
  setArgument,
  takesPage,
  useHypercall,
} from './hypercall-store.ts'
import { PastCalls } from './past-calls.tsx'

const PAGE = 4096

/** What the arguments of the kernel's handlers mean (arch/arm64/kvm/hyp/nvhe/hyp-main.c). */
const MEANINGS: Readonly<Record<string, string>> = {
  pfn: 'page frame number: physical address / 4096',
  phys: 'physical address',
  gfn: 'guest frame number: the VM’s address / 4096',
  handle: 'of a VM: 0x1000 and up',
  nr_pages: '1 for a page, 512 for a block of 2 MiB',
  prot: 'execute 1 + write 2 + read 4',
  vcpu_idx: 'number of the vCPU, from 0',
  ipa: 'the VM’s address',
  mkold: '1 clears the access flag, 0 only looks',
}

/** Calls to the hypervisor by hand: chosen by name, made by the processor as the host's kernel would make them. */
export function HypercallPanel() {
  const booted = useLab(state => state.booted !== null)
  // A panel that was opened after the machine was made has missed its start.
  useEffect(() => void learnNames(), [])
  return (
    <section className="hypercall" aria-labelledby="hypercall-title">
      <header className="panel-head">
        <h2 id="hypercall-title">Hypercall by hand</h2>
        <span className="hostile">what a hostile host would do</span>
      </header>
      <div className="hypercall-parts">
        <Form booted={booted} />
        <PastCalls />
      </div>
    </section>
  )
}

function Form(props: { booted: boolean }) {
  const state = useHypercall()
  const selected = useInspection(now => now.selectedPage)
  const known = chosenCall(state)
  return (
    <form
      className="hypercall-form"
      aria-label="The call"
      onSubmit={event => {
        event.preventDefault()
        runCommand(HYPERCALL_COMMANDS.issue)
      }}
    >
      <CallBox />
      {argumentNames(state).map((name, i) => (
        <div className="call-argument" key={name}>
          <label htmlFor={`hypercall-${name}`}>{name}</label>
          <input
            id={`hypercall-${name}`}
            type="text"
            className="field mono"
            spellCheck={false}
            autoComplete="off"
            placeholder={known === undefined ? '0' : '0x…'}
            aria-describedby={`hypercall-${name}-is`}
            value={state.args[name] ?? ''}
            onChange={event => setArgument(name, event.target.value)}
          />
          {takesPage(name) !== null && (
            <button
              type="button"
              className="link"
              disabled={selected === null}
              title={selected === null ? 'No page is selected' : `Put in page ${hex(selected)}`}
              onClick={putSelectedPage}
            >
              selected page
            </button>
          )}
          <small id={`hypercall-${name}-is`}>
            x{i + 1}
            {MEANINGS[name] === undefined ? '' : `: ${MEANINGS[name]}`}
            {pageOf(name, state.args[name])}
          </small>
        </div>
      ))}
      <div className="call-argument">
        <label htmlFor="hypercall-more">also</label>
        <input
          id="hypercall-more"
          type="text"
          className="field mono"
          spellCheck={false}
          autoComplete="off"
          placeholder="none"
          aria-describedby="hypercall-more-is"
          value={state.more}
          onChange={event => useHypercall.setState({ more: event.target.value })}
        />
        <small id="hypercall-more-is">further registers, such as x9=0xc600001f x10=0x40268</small>
      </div>
      {state.whyNoNames !== '' && <p className="remark">Calls have numbers only: {state.whyNoNames}</p>}
      <label className="on-panic">
        <input
          type="checkbox"
          checked={state.onPanic === 'undo'}
          onChange={event => useHypercall.setState({ onPanic: event.target.checked ? 'undo' : 'keep' })}
        />
        Go back to before the call when the hypervisor panics
      </label>
      <div className="hypercall-issue">
        <button
          type="submit"
          className="button primary"
          disabled={!props.booted || state.busy}
          title={HYPERCALL_COMMANDS.issue.title}
        >
          {state.busy ? 'Issuing…' : 'Issue'}
        </button>
        <small>{props.booted ? 'The machine pauses for it, and stays paused.' : 'Boot a machine first.'}</small>
      </div>
    </form>
  )
}

/** What a page argument that was written names. */
function pageOf(name: string, text: string | undefined): string {
  const value = Number(text?.trim() === '' ? Number.NaN : text)
  if (!Number.isSafeInteger(value) || value < 0) return ''
  if (name === 'pfn') return ` = page ${hex(value * PAGE)}`
  return name === 'gfn' ? ` = ${hex(value * PAGE)}` : ''
}
