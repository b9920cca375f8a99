import { type DragEvent, useState } from 'react'
import { Workspace } from '../layout/workspace.tsx'
import { chooseImage } from '../machine-control.ts'
import { Palette } from './palette.tsx'
import { TopBar } from './top-bar.tsx'

/** The whole page. A file dropped anywhere is taken as an Image. */
export function Lab() {
  const [over, setOver] = useState(false)
  const drag = (event: DragEvent) => {
    if (!event.dataTransfer.types.includes('Files')) return
    event.preventDefault()
    setOver(true)
  }
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping is a second way; the button in the settings is the first
    <div
      className={over ? 'lab dropping' : 'lab'}
      onDragEnter={drag}
      onDragOver={drag}
      onDragLeave={event => {
        if (event.relatedTarget === null) setOver(false)
      }}
      onDrop={event => {
        event.preventDefault()
        setOver(false)
        const file = event.dataTransfer.files[0]
        if (file !== undefined) void chooseImage(file)
      }}
    >
      <TopBar />
      <Workspace />
      <Palette />
      {over && <p className="drop-hint">Drop an arm64 Image to choose it as the kernel</p>}
    </div>
  )
}
