import { type PointerEvent, useEffect, useLayoutEffect, useRef, useState } from 'react'
import type { OwnershipFrame } from '../../engine/worker/inspection-protocol.ts'
import { count } from '../format.ts'
import { useInspection } from '../inspection-store.ts'
import { useFallen } from '../inspector/fallen-store.ts'
import { useLab } from '../store.ts'
import { paletteOf } from './drawing.ts'
import { Owner, PAGE_BYTES, State } from './runs.ts'

const HEIGHT = 28

/**
 * Every page of RAM at once, column after column from the left. Where several pages share a pixel the rarest kind shows:
 * a guest's before a shared one, that before the hypervisor's, the host's last. So nothing is ever hidden.
 */
export function Overview(props: { frame: OwnershipFrame }) {
  const { frame } = props
  const canvas = useRef<HTMLCanvasElement>(null)
  const [width, setWidth] = useState(0)
  const theme = useLab(state => state.theme)
  const fallen = useFallen(state => state.byPage)
  const selected = useInspection(state => state.selectedPage)

  useLayoutEffect(() => {
    const element = canvas.current?.parentElement
    if (element == null) return
    const measure = () => setWidth(element.clientWidth)
    measure()
    const observer = new ResizeObserver(measure)
    observer.observe(element)
    return () => observer.disconnect()
  }, [])

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new theme has new colours
  useEffect(() => {
    const element = canvas.current
    const context = element?.getContext('2d')
    if (element == null || context == null || width === 0) return
    const ratio = window.devicePixelRatio || 1
    const w = Math.round(width * ratio)
    const h = Math.round(HEIGHT * ratio)
    element.width = w
    element.height = h
    const image = context.createImageData(w, h)
    paintPages(image, frame, colours(element))
    context.putImageData(image, 0, 0)
  }, [frame, width, theme])

  const select = (event: PointerEvent<HTMLCanvasElement>) => {
    const box = event.currentTarget.getBoundingClientRect()
    const column = Math.floor(((event.clientX - box.left) / box.width) * width)
    const page = Math.min(frame.pages - 1, Math.floor((column / width) * frame.pages))
    useInspection.getState().select(frame.ramBase + page * PAGE_BYTES)
  }

  const marker = selected === null ? null : (selected - frame.ramBase) / PAGE_BYTES / frame.pages
  return (
    <div className="overview">
      <canvas
        ref={canvas}
        role="img"
        aria-label={`All ${count(frame.pages)} pages, from 0x${frame.ramBase.toString(16)} on${fallen.size === 0 ? '' : `; an invariant fell for ${count(fallen.size)} of them`}`}
        style={{ blockSize: HEIGHT }}
        onPointerDown={select}
      />
      {[...fallen.keys()].map(physical => (
        <i key={physical} className="fallen" style={{ insetInlineStart: `${((physical - frame.ramBase) / PAGE_BYTES / frame.pages) * 100}%` }} />
      ))}
      {marker !== null && marker >= 0 && marker < 1 && <i style={{ insetInlineStart: `${marker * 100}%` }} />}
    </div>
  )
}

type Rgb = readonly [number, number, number]

function colours(element: Element): { rank: readonly Rgb[]; ground: Rgb } {
  const palette = paletteOf(element)
  const ground = rgb(palette.ground)
  const pale = (colour: Rgb, share: number): Rgb => [0, 1, 2].map(i => Math.round((colour[i] as number) * share + (ground[i] as number) * (1 - share))) as unknown as Rgb
  return {
    // By rank: unknown, host, hypervisor, shared, normal VM, protected VM.
    rank: [pale(rgb(palette.faint), 0.3), pale(rgb(palette.host), 0.34), rgb(palette.hyp), rgb(palette.ink), rgb(palette.nvm), rgb(palette.vm)],
    ground,
  }
}

/** `#rgb` or `#rrggbb`: the build shortens what it can. */
function rgb(text: string): Rgb {
  const hex = text.length === 4 ? [...text].map(c => (c === '#' ? c : c + c)).join('') : text
  const n = Number.parseInt(hex.slice(1), 16)
  return [(n >> 16) & 255, (n >> 8) & 255, n & 255]
}

/** Fills the image; each pixel takes the highest rank among its pages. */
export function paintPages(image: { width: number; height: number; data: Uint8ClampedArray }, frame: OwnershipFrame, paint: { rank: readonly Rgb[] }): void {
  const { width, height, data } = image
  const pixels = width * height
  const ranks = new Uint8Array(frame.pages)
  for (let page = 0; page < frame.pages; page++) {
    const host = frame.host[page]
    const hyp = frame.hyp[page]
    const shared = host === State.sharedOwned || host === State.sharedBorrowed || hyp === State.sharedOwned || hyp === State.sharedBorrowed
    const owner = frame.owner[page]
    ranks[page] = owner === Owner.vm ? 5 : shared ? 3 : owner === Owner.hyp ? 2 : owner === Owner.host ? 1 : 0
  }
  const isProtected = new Map(frame.vms.map(vm => [vm.handle, vm.protected]))
  for (const { page, handle, borrowed } of frame.guest) {
    if (!borrowed) ranks[page] = 5
    else if ((ranks[page] ?? 0) < 5) ranks[page] = isProtected.get(handle) === false ? 4 : 5
  }
  for (let pixel = 0; pixel < pixels; pixel++) {
    const from = Math.floor((pixel / pixels) * frame.pages)
    const to = Math.max(from + 1, Math.floor(((pixel + 1) / pixels) * frame.pages))
    let rank = 0
    for (let page = from; page < to; page++) if ((ranks[page] as number) > rank) rank = ranks[page] as number
    const [r, g, b] = paint.rank[rank] as Rgb
    const at = ((pixel % height) * width + Math.floor(pixel / height)) * 4
    data[at] = r
    data[at + 1] = g
    data[at + 2] = b
    data[at + 3] = 255
  }
}
