import { useVirtualizer } from '@tanstack/react-virtual'
import { useEffect, useMemo, useRef } from 'react'
import { useAssembly } from './assembly-store.ts'
import { editorHandle } from './editor-commands.ts'

/** Address, bytes and text of all that the assembler made, beside the source and following the caret in it. */
export function Listing() {
  const assembly = useAssembly(state => state.assembly)
  const entry = useAssembly(state => state.entry)
  const caret = useAssembly(state => state.caret)
  const scroller = useRef<HTMLDivElement>(null)
  const lines = useMemo(
    () => [...(assembly?.listing ?? [])].sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0)),
    [assembly],
  )
  const isHere = (line: (typeof lines)[number]) =>
    (line.file === caret.file && line.line === caret.line) ||
    (line.within?.file === caret.file && line.within.line === caret.line)
  const first = lines.findIndex(isHere)
  const rows = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => 20,
    overscan: 20,
  })
  useEffect(() => {
    if (first >= 0) rows.scrollToIndex(first, { align: 'center' })
  }, [first, rows])
  const digits = Math.max(4, (lines[lines.length - 1]?.address ?? 0n).toString(16).length)
  const bytes = assembly?.bytes.length ?? 0
  return (
    <section className="listing" aria-label="Listing">
      <p className="quiet">
        {assembly === null
          ? 'Assembling…'
          : `${entry}: ${bytes.toLocaleString('en')} bytes${assembly.ok ? '' : ', with errors: what could not be assembled is zero'}`}
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so it must be reachable by key */}
      <div className="listing-scroll" ref={scroller} tabIndex={0}>
        <ol style={{ blockSize: rows.getTotalSize() }}>
          {rows.getVirtualItems().map(item => {
            const line = lines[item.index]
            if (line === undefined) return null
            return (
              <li
                key={item.key}
                className={isHere(line) ? 'here' : ''}
                style={{ transform: `translateY(${item.start}px)` }}
                onClick={() => editorHandle.current?.reveal(line.file, line.line, 1)}
                onKeyDown={() => {}}
              >
                <span className="address">{line.address.toString(16).padStart(digits, '0')}</span>
                <span className="bytes">{byteText(line.bytes, line.size)}</span>
                <span className="text">{line.text.trim().replace(/\s+/g, ' ')}</span>
              </li>
            )
          })}
        </ol>
      </div>
    </section>
  )
}

/** Instructions as words, data as bytes; long data is cut. */
function byteText(bytes: Uint8Array, size: number): string {
  const hex = (byte: number) => byte.toString(16).padStart(2, '0')
  if (size === 4) return [...bytes].reverse().map(hex).join('')
  return `${[...bytes.subarray(0, 8)].map(hex).join(' ')}${size > 8 ? ` … ${size}` : ''}`
}
