import { useState } from 'react'

/** Who called whom: the instruction's own function first, the cause last. */
export function CallChain(props: { frames: readonly string[] }) {
  const { frames } = props
  const [all, setAll] = useState(false)
  if (frames.length === 0) return null
  const telling = frames.filter((frame, depth) => depth === 0 || !PLUMBING.test(functionOf(frame)))
  const hidden = frames.length - telling.length
  return (
    <>
      <p className="chain-title">Called by, innermost first</p>
      <ol className="chain">
        {(all ? frames : telling).map((frame, depth) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a function may be in its own chain; its depth is what tells the frames apart
          <li key={depth} className="mono">
            {frame}
          </li>
        ))}
      </ol>
      {hidden > 0 && (
        <button type="button" className="link" aria-expanded={all} onClick={() => setAll(!all)}>
          {all ? 'Leave out walkers and exception entry' : `All ${frames.length} frames`}
        </button>
      )}
    </>
  )
}

function functionOf(frame: string): string {
  return frame.replace(/ \(EL\d\)$/, '').replace(/\+0x[0-9a-f]+$/, '')
}

/** Frames that are in every chain and tell nothing: table walkers, exception entry. */
const PLUMBING =
  /^(__?kvm_pgtable_walk|stage2_(map_walker.*|make_pte|unmap_walker)|kvm_pgtable_.*|handle_trap|__skip_pauth_save|invoke_syscall|do_el0_svc|el\d+t?_.*)$/

/** The chain in one line: the telling functions only, without offsets, up to the system call and the task. */
export function chainLine(event: { callChain: readonly string[]; symbol: string; details: Record<string, string> }): string {
  const names: string[] = []
  for (const frame of event.callChain.length > 0 ? event.callChain : [event.symbol]) {
    const name = functionOf(frame)
    if (!PLUMBING.test(name) && !name.startsWith('0x') && names.at(-1) !== name) names.push(name)
  }
  const task = event.details['task']
  return [...(names.length > 0 ? names : [event.symbol]), ...(task === undefined ? [] : [task])].join(' ← ')
}
