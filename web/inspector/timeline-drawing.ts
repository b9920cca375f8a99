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

/** Left of the lanes are their names. In CSS pixels. */
export const PLOT_LEFT = 88
export const PLOT_RIGHT = 12
export const LANE_STEP = 20
const LANE_HEIGHT = 14
const AXIS_HEIGHT = 34

export function timelineHeight(): number {
  return LANES.length * LANE_STEP + AXIS_HEIGHT
}

/** Draws the lanes into a canvas of `width` CSS pixels, in the colours of the theme. */
export function drawTimeline(canvas: HTMLCanvasElement, width: number, picture: TimelinePicture): void {
  const height = timelineHeight()
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
  const size = 12
  context.setTransform(scale, 0, 0, scale, 0, 0)
  context.clearRect(0, 0, width, height)
  context.font = `${size}px ${token('--sans')}`
  context.textBaseline = 'middle'
  const plot = Math.max(1, width - PLOT_LEFT - PLOT_RIGHT)
  const { span } = picture
  const toX = (at: number) => PLOT_LEFT + ((at - span.from) / (span.to - span.from)) * plot
  const bottom = LANES.length * LANE_STEP

  picture.lanes.forEach((lane, index) => {
    const y = index * LANE_STEP + 2
    context.fillStyle = token('--dim')
    context.textAlign = 'left'
    context.fillText(lane.title, 16, y + LANE_HEIGHT / 2)
    context.fillStyle = token('--raise')
    context.fillRect(PLOT_LEFT, y, plot, LANE_HEIGHT)
    context.fillStyle = token(lane.color)
    // The busier a column, the taller its stroke: one event is half the lane high.
    for (let column = 0; column < lane.columns.length; column++) {
      const events = lane.columns[column] ?? 0
      if (events === 0) continue
      const tall = Math.min(LANE_HEIGHT, 7 + Math.log2(events) * 1.5)
      context.fillRect(PLOT_LEFT + column, y + LANE_HEIGHT - tall, 1.5, tall)
    }
  })

  const taken: [number, number][] = []
  context.textAlign = 'left'
  for (const mark of picture.marks) {
    const x = toX(mark.at)
    if (x < PLOT_LEFT || x > width - PLOT_RIGHT) continue
    context.fillStyle = mark.bad ? token('--bad') : token('--dim')
    context.fillRect(Math.round(x), 0, 1, bottom + 4)
    const wide = context.measureText(mark.name).width
    const left = Math.min(x, width - PLOT_RIGHT - wide)
    if (taken.some(([from, to]) => left < to + 8 && left + wide > from - 8)) continue
    taken.push([left, left + wide])
    context.fillText(mark.name, left, bottom + 11)
  }

  context.fillStyle = token('--faint')
  context.textAlign = 'left'
  context.fillText(shortCount(Math.round(span.from)), PLOT_LEFT, bottom + 26)
  context.textAlign = 'right'
  context.fillText(shortCount(Math.round(span.to)), width - PLOT_RIGHT, bottom + 26)

  if (picture.now >= span.from && picture.now <= span.to) {
    context.fillStyle = token('--faint')
    context.fillRect(Math.round(toX(picture.now)) - 1, 0, 1, bottom)
  }
  if (picture.chosen !== null) {
    const x = toX(picture.chosen)
    if (x >= PLOT_LEFT && x <= width - PLOT_RIGHT) {
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
