/** Sixteen-pixel drawings in the current colour. All are decoration beside a text. */
function Icon(props: { d: string; filled?: boolean }) {
  return (
    <svg className="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
      {props.filled === true ? (
        <path d={props.d} fill="currentColor" />
      ) : (
        <path d={props.d} fill="none" stroke="currentColor" strokeWidth="1.5" />
      )}
    </svg>
  )
}

export const PlayIcon = () => <Icon filled d="M4 2.5v11l9-5.5z" />
export const PauseIcon = () => <Icon filled d="M4 3h3v10H4zM9 3h3v10H9z" />
export const ResetIcon = () => <Icon d="M3.2 6.2A5.2 5.2 0 1 1 2.8 9M3 2.5v4h4" />
export const CloseIcon = () => <Icon d="M4 4l8 8M12 4l-8 8" />
export const ThemeIcon = () => <Icon d="M8 2.25a5.75 5.75 0 1 0 0 11.5zM8 2.25a5.75 5.75 0 0 1 0 11.5" />
export const SettingsIcon = () => <Icon d="M2.5 3h11v10h-11zM6.5 3v10" />
export const CommandsIcon = () => <Icon d="M2.5 4.5h11M2.5 8h11M2.5 11.5h7" />

/** The host gave a page away: a gap in its lane, the page in the lane below. */
export function Mark() {
  return (
    <svg className="mark" viewBox="0 0 20 20" width="20" height="20" aria-hidden="true" focusable="false">
      <path className="mark-host" d="M0 3h6v6H0zM14 3h6v6h-6z" />
      <path className="mark-vm" d="M7 11h6v6H7z" />
    </svg>
  )
}
