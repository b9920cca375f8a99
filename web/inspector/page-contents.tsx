import { useVirtualizer } from '@tanstack/react-virtual'
import { useEffect, useMemo, useRef, useState } from 'react'
import type { PageDetail } from '../../engine/worker/inspection-protocol.ts'

/** Narrower than this, a row of sixteen bytes would not fit. In characters of the mono face. */
const SIXTEEN_BYTES_CHARACTERS = 70

/**
 * The page's 4096 bytes, and what they mean where they are code.
 * @param at offset of the byte that was asked for: shown first, and marked
 */
export function PageContents(props: { detail: PageDetail; at: number | null }) {
  const { detail, at } = props
  const isCode = detail.code.length > 0
  const [wanted, setWanted] = useState<'bytes' | 'code' | null>(null)
  // A page of a VM may hold anything; zeros are no code.
  const looksLikeCode = isCode && !/^(0x)?0+$/.test(detail.code[0]?.word ?? '')
  const shown = isCode ? (wanted ?? (looksLikeCode ? 'code' : 'bytes')) : 'bytes'
  const tabs = useRef<HTMLDivElement>(null)
  const choose = (next: 'bytes' | 'code') => {
    setWanted(next)
    tabs.current?.querySelector<HTMLElement>(`[data-tab="${next}"]`)?.focus()
  }
  return (
    <section className="contents" aria-labelledby="contents-title">
      <div className="contents-head">
        <h3 id="contents-title">Contents</h3>
        {isCode && (
          <div
            ref={tabs}
            className="small-tabs"
            role="tablist"
            aria-label="Contents as"
            onKeyDown={event => {
              if (event.key === 'ArrowLeft' || event.key === 'ArrowRight') choose(shown === 'code' ? 'bytes' : 'code')
            }}
          >
            {(['code', 'bytes'] as const).map(tab => (
              <button
                key={tab}
                type="button"
                role="tab"
                data-tab={tab}
                id={`contents-tab-${tab}`}
                aria-selected={shown === tab}
                aria-controls="contents-body"
                tabIndex={shown === tab ? 0 : -1}
                onClick={() => choose(tab)}
              >
                {tab === 'code' ? 'A64' : 'Bytes'}
              </button>
            ))}
          </div>
        )}
      </div>
      <div id="contents-body" {...(isCode ? { role: 'tabpanel', 'aria-labelledby': `contents-tab-${shown}` } : {})}>
        {shown === 'code' ? (
          <CodeView code={detail.code} at={at} />
        ) : detail.contents.length > 0 ? (
          <HexView bytes={detail.contents} at={at} />
        ) : (
          <p className="remark">No RAM lies at this address.</p>
        )}
      </div>
    </section>
  )
}

/** One row of a dump: `1a0  00 11 22 33 44 55 66 77  ..."3DUfw`. */
export function hexRow(bytes: Uint8Array, offset: number, length: number): { offset: string; bytes: string; text: string } {
  let hex = ''
  let text = ''
  for (let i = offset; i < Math.min(offset + length, bytes.length); i++) {
    const byte = bytes[i] ?? 0
    if (i > offset) hex += (i - offset) % 8 === 0 ? '  ' : ' '
    hex += byte.toString(16).padStart(2, '0')
    text += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '·'
  }
  return { offset: offset.toString(16).padStart(3, '0'), bytes: hex, text }
}

function HexView(props: { bytes: Uint8Array; at: number | null }) {
  const { bytes, at } = props
  const scroller = useRef<HTMLDivElement>(null)
  const [perRow, setPerRow] = useState(8)
  const rowHeight = useRowHeight()
  useEffect(() => {
    const place = scroller.current
    if (place === null) return
    const observer = new ResizeObserver(() => {
      const size = Number.parseFloat(getComputedStyle(place).fontSize)
      // A mono character is six tenths of its size wide.
      setPerRow(place.clientWidth / (size * 0.6) >= SIXTEEN_BYTES_CHARACTERS ? 16 : 8)
    })
    observer.observe(place)
    return () => observer.disconnect()
  }, [])
  const rows = useVirtualizer({
    count: Math.ceil(bytes.length / perRow),
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 8,
  })
  const here = at === null ? -1 : Math.floor(at / perRow)
  // biome-ignore lint/correctness/useExhaustiveDependencies: rows is a new object each time; the place decides
  useEffect(() => {
    if (here >= 0) rows.scrollToIndex(here, { align: 'center' })
  }, [here])
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by key
    <section ref={scroller} className="dump mono" tabIndex={0} aria-label="Bytes of the page">
      <div style={{ blockSize: rows.getTotalSize(), position: 'relative' }}>
        {rows.getVirtualItems().map(item => {
          const row = hexRow(bytes, item.index * perRow, perRow)
          return (
            <div key={item.key} className={item.index === here ? 'dump-row here' : 'dump-row'} style={{ transform: `translateY(${item.start}px)`, blockSize: rowHeight }}>
              <span className="offset">{row.offset}</span>
              <span className={/[1-9a-f]/.test(row.bytes) ? 'bytes' : 'bytes zero'}>{row.bytes}</span>
              <span className="text">{row.text}</span>
            </div>
          )
        })}
      </div>
    </section>
  )
}

/** An instruction, or the name of the function that starts with the next one. */
type CodeRow = { label: string } | { offset: number; word: string; text: string; place: string }

export function codeRows(code: PageDetail['code']): CodeRow[] {
  let current = ''
  return code.flatMap((line, index): CodeRow[] => {
    const symbol = line.address.replace(/\+0x[0-9a-f]+$/, '')
    const row = { offset: index * 4, word: line.word.replace(/^0x/, ''), text: line.text, place: line.address }
    if (symbol === current || /^0x/.test(symbol)) return [row]
    current = symbol
    // The first function may have begun on the page before.
    return [{ label: index === 0 ? line.address : symbol }, row]
  })
}

function CodeView(props: { code: PageDetail['code']; at: number | null }) {
  const { code, at } = props
  const lines = useMemo(() => codeRows(code), [code])
  const scroller = useRef<HTMLDivElement>(null)
  const rowHeight = useRowHeight()
  const rows = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 8,
  })
  const here = at === null ? -1 : lines.findIndex(line => 'offset' in line && line.offset === at - (at % 4))
  // biome-ignore lint/correctness/useExhaustiveDependencies: rows is a new object each time; the place decides
  useEffect(() => {
    if (here >= 0) rows.scrollToIndex(here, { align: 'center' })
  }, [here])
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by key
    <section ref={scroller} className="dump mono" tabIndex={0} aria-label="Instructions of the page">
      <div style={{ blockSize: rows.getTotalSize(), position: 'relative' }}>
        {rows.getVirtualItems().map(item => {
          const line = lines[item.index]
          if (line === undefined) return null
          const place = { transform: `translateY(${item.start}px)`, blockSize: rowHeight }
          return 'label' in line ? (
            <div key={item.key} className="dump-row function" style={place}>
              {line.label}:
            </div>
          ) : (
            <div key={item.key} className={item.index === here ? 'dump-row here' : 'dump-row'} style={place} title={line.place}>
              <span className="offset">{line.offset.toString(16).padStart(3, '0')}</span>
              <span className="word">{line.word}</span>
              <span className="instruction">{line.text}</span>
            </div>
          )
        })}
      </div>
    </section>
  )
}

/** Rows follow the size of type, which the projector theme makes larger. */
export function useRowHeight(): number {
  const root = typeof document === 'undefined' ? 16 : Number.parseFloat(getComputedStyle(document.documentElement).fontSize)
  return Math.round(root * 1.125)
}
