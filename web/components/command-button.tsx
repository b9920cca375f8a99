import type { ReactNode } from 'react'
import { type Command, runCommand } from '../commands.ts'
import { useLab } from '../store.ts'

export function CommandButton(props: { command: Command; primary?: boolean; icon?: ReactNode; label?: string }) {
  const { command, primary, icon, label } = props
  const enabled = useLab(command.enabled)
  return (
    <button
      type="button"
      className={primary === true ? 'button primary' : 'button'}
      disabled={!enabled}
      title={command.keyLabel === undefined ? command.title : `${command.title}  ${command.keyLabel}`}
      onClick={() => runCommand(command)}
    >
      {icon}
      {label ?? command.title}
    </button>
  )
}
