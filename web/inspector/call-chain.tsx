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

/** The chain in one line, as far as it fits. */
export function chainLine(frames: readonly string[]): string {
  return frames.join(' ← ')
}
