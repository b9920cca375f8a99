/** Who called whom: the instruction's own function first, the cause last. */
export function CallChain(props: { frames: readonly string[] }) {
  const { frames } = props
  if (frames.length === 0) return null
  return (
    <>
      <p className="chain-title">Called by, innermost first</p>
      <ol className="chain">
        {frames.map((frame, depth) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a function may be in its own chain; its depth is what tells the frames apart
          <li key={depth} className="mono">
            {frame}
          </li>
        ))}
      </ol>
    </>
  )
}

/** Frames that are in every chain and tell nothing: table walkers, exception entry. */
const PLUMBING =
  /^(__?kvm_pgtable_walk|stage2_(map_walker.*|make_pte|unmap_walker)|kvm_pgtable_.*|handle_trap|__skip_pauth_save|invoke_syscall|do_el0_svc|el\d+t?_.*|0x.*)$/

/** The chain in one line: the telling functions only, without offsets, up to the system call and the task. */
export function chainLine(event: { callChain: readonly string[]; symbol: string; details: Record<string, string> }): string {
  const names: string[] = []
  for (const frame of event.callChain.length > 0 ? event.callChain : [event.symbol]) {
    const name = frame.replace(/ \(EL\d\)$/, '').replace(/\+0x[0-9a-f]+$/, '')
    if (!PLUMBING.test(name) && names.at(-1) !== name) names.push(name)
  }
  const task = event.details['task']
  return [...(names.length > 0 ? names : [event.symbol]), ...(task === undefined ? [] : [task])].join(' ← ')
}
