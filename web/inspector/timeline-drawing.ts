import { shortCount } from '../format.ts'
import { LANES } from './event-log.ts'
import type { Span } from './timeline-scale.ts'

export interface Mark {
  at: number
  name: string
  bad: boolean
}

export interface TimelinePicture {
  span: Span
  now: number
  lanes: readonly { title: string; color: string; columns: Uint32Array }[]
  /** Most important first: a name that would lie on an earlier one is left out, its line stays. */
  marks: readonly Mark[]
  chosen: number | null
  /** Two places in pixels between which the pointer is being drawn. */
  pressed: readonly [number, number] | null
}

/** Where things lie in a timeline of some size. In CSS pixels. */
export interface TimelineFrame {
  width: number
  height: number
  /** Size of type. */
  type: number
  /** Left of the lanes are their names. */
  left: number
  right: number
  /** From lane to lane. */
  step: number
  /** Below the lanes: names of landmarks, and counts. */
  bottom: number
}

/** @param rem size of the root's type: the projector theme has larger type. */
export function frameOf(width: number, height: number, rem: number): TimelineFrame {
  const type = rem * 0.75
  const axis = type * 2.75
  const step = Math.min(Math.max((height - axis) / LANES.length, 10), 28)
  return { width, height, type, left: type * 7.25, right: 12, step, bottom: step * LANES.length }
}

/** Draws the lanes in the colours of the theme. */
export function drawTimeline(canvas: HTMLCanvasElement, frame: TimelineFrame, picture: TimelinePicture): void {
  const { width, height, type, left: plotLeft, right: plotRight, step, bottom } = frame
  const laneHeight = step - Math.max(3, step * 0.25)
  const scale = window.devicePixelRatio
  if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
    canvas.width = Math.round(width * scale)
    canvas.height = Math.round(height * scale)
    canvas.style.width = `${width}px`
    canvas.style.height = `${height}px`
  }
  const context = canvas.getContext('2d')
  if (context === null) return
  const style = getComputedStyle(canvas)
  const token = (name: string) => style.getPropertyValue(name).trim()
  const ink = token('--ink')
  context.setTransform(scale, 0, 0, scale, 0, 0)
  context.clearRect(0, 0, width, height)
  context.font = `${type}px ${token('--sans')}`
  context.textBaseline = 'middle'
  const plot = Math.max(1, width - plotLeft - plotRight)
  const { span } = picture
  const toX = (at: number) => plotLeft + ((at - span.from) / (span.to - span.from)) * plot

  picture.lanes.forEach((lane, index) => {
    const y = index * step + 2
    context.fillStyle = token('--dim')
    context.textAlign = 'left'
    context.fillText(lane.title, 16, y + laneHeight / 2)
    context.fillStyle = token('--raise')
    context.fillRect(plotLeft, y, plot, laneHeight)
    context.fillStyle = token(lane.color)
    // The busier a column, the taller its stroke: one event is half the lane high.
    for (let column = 0; column < lane.columns.length; column++) {
      const events = lane.columns[column] ?? 0
      if (events === 0) continue
      const tall = Math.min(laneHeight, laneHeight * (0.5 + Math.log2(events) * 0.1))
      context.fillRect(plotLeft + column, y + laneHeight - tall, 1.5, tall)
    }
  })

  const taken: [number, number][] = []
  context.textAlign = 'left'
  for (const mark of picture.marks) {
    const x = toX(mark.at)
    if (x < plotLeft || x > width - plotRight) continue
    context.fillStyle = mark.bad ? token('--bad') : token('--dim')
    context.fillRect(Math.round(x), 0, 1, bottom + 4)
    const wide = context.measureText(mark.name).width
    const left = Math.min(x, width - plotRight - wide)
    if (taken.some(([from, to]) => left < to + 8 && left + wide > from - 8)) continue
    taken.push([left, left + wide])
    context.fillText(mark.name, left, bottom + type * 0.9)
  }

  context.fillStyle = token('--faint')
  context.textAlign = 'left'
  context.fillText(shortCount(Math.round(span.from)), plotLeft, bottom + type * 2.1)
  context.textAlign = 'right'
  context.fillText(shortCount(Math.round(span.to)), width - plotRight, bottom + type * 2.1)

  if (picture.now >= span.from && picture.now <= span.to) {
    context.fillStyle = token('--faint')
    context.fillRect(Math.round(toX(picture.now)) - 1, 0, 1, bottom)
  }
  if (picture.chosen !== null) {
    const x = toX(picture.chosen)
    if (x >= plotLeft && x <= width - plotRight) {
      context.fillStyle = ink
      context.fillRect(x - 0.75, 0, 1.5, bottom)
      context.beginPath()
      context.arc(x, bottom, 3.5, 0, 2 * Math.PI)
      context.fill()
    }
  }
  if (picture.pressed !== null) {
    const [a, b] = picture.pressed
    context.globalAlpha = 0.2
    context.fillStyle = ink
    context.fillRect(Math.min(a, b), 0, Math.abs(a - b), bottom)
    context.globalAlpha = 1
  }
}
