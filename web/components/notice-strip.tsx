import { notify } from '../machine-control.ts'
import { useLab } from '../store.ts'
import { CloseIcon } from './icons.tsx'

/** What went wrong, in one sentence, and what to do about it. */
export function NoticeStrip() {
  const notice = useLab(state => state.notice)
  return (
    <div role="alert" className="notice-place">
      {notice !== null && (
        <div className="notice">
          <p>
            <strong>{notice.message}</strong>
            {notice.hint !== '' && <> {notice.hint}</>}
          </p>
          <button type="button" className="tool" aria-label="Dismiss" onClick={() => notify(null)}>
            <CloseIcon />
          </button>
        </div>
      )}
    </div>
  )
}
