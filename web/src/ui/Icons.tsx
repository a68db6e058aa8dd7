// Line icons, drawn here so that nothing is fetched. Each is decoration: its button carries the name.
import type { ReactNode } from "react";

function icon(paths: ReactNode) {
  return function Icon() {
    return (
      <svg
        className="icon"
        viewBox="0 0 20 20"
        fill="none"
        stroke="currentColor"
        strokeWidth="1.6"
        strokeLinecap="round"
        strokeLinejoin="round"
        aria-hidden="true"
        focusable="false"
      >
        {paths}
      </svg>
    );
  };
}

export const MenuIcon = icon(<path d="M3 5.5h14M3 10h14M3 14.5h9" />);
export const PlusIcon = icon(<path d="M10 4v12M4 10h12" />);
export const CloseIcon = icon(<path d="M5 5l10 10M15 5L5 15" />);
export const SendIcon = icon(<path d="M10 16V4.5M4.8 9.5L10 4.3l5.2 5.2" />);
export const StopIcon = icon(<rect x="5.5" y="5.5" width="9" height="9" rx="1.5" fill="currentColor" stroke="none" />);
export const PencilIcon = icon(<path d="M4 16l.8-3.4L13.4 4a1.6 1.6 0 0 1 2.3 0l.3.3a1.6 1.6 0 0 1 0 2.3L7.4 15.2z" />);
export const TrashIcon = icon(<path d="M3.5 5.5h13M8 5.5V3.8h4v1.7M5.3 5.5l.8 10.7h7.8l.8-10.7" />);
export const SunIcon = icon(
  <>
    <circle cx="10" cy="10" r="3.4" />
    <path d="M10 2.3v1.7M10 16v1.7M2.3 10H4M16 10h1.7M4.6 4.6l1.2 1.2M14.2 14.2l1.2 1.2M15.4 4.6l-1.2 1.2M5.8 14.2l-1.2 1.2" />
  </>,
);
export const MoonIcon = icon(<path d="M16.5 11.8A6.8 6.8 0 0 1 8.2 3.5a6.8 6.8 0 1 0 8.3 8.3z" />);
export const HalfIcon = icon(
  <>
    <circle cx="10" cy="10" r="6.7" />
    <path d="M10 3.3a6.7 6.7 0 0 1 0 13.4z" fill="currentColor" stroke="none" />
  </>,
);
export const DocumentIcon = icon(<path d="M5 2.8h6.5L15.5 7v10.2H5zM11.3 3v4.2h4M7.7 10.5h5M7.7 13.5h5" />);
export const BookIcon = icon(<path d="M4 4.5C6 3.6 8 3.7 10 5v11.5c-2-1.3-4-1.4-6-.5zM16 4.5c-2-.9-4-.8-6 .5v11.5c2-1.3 4-1.4 6-.5z" />);
export const ChatIcon = icon(<path d="M3.5 5.3A1.8 1.8 0 0 1 5.3 3.5h9.4a1.8 1.8 0 0 1 1.8 1.8v6.4a1.8 1.8 0 0 1-1.8 1.8H9.5L6 16.7v-3.2h-.7a1.8 1.8 0 0 1-1.8-1.8z" />);
export const CopyIcon = icon(<path d="M7 7h9v9H7zM4 13V4h9" />);
export const CheckIcon = icon(<path d="M4 10.5l4 4 8-9" />);
export const RetryIcon = icon(<path d="M15.8 8.2A6.2 6.2 0 1 0 16 11.5M16 3.8v4.5h-4.5" />);
export const WarningIcon = icon(<path d="M10 3.3l7.2 12.9H2.8zM10 8.2v3.6M10 14v.1" />);
export const SearchIcon = icon(<path d="M9 3.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11zM13.2 13.2l3.8 3.8" />);
export const UserIcon = icon(<path d="M10 3.2a3.3 3.3 0 1 1 0 6.6 3.3 3.3 0 0 1 0-6.6zM3.8 16.8c.6-3 3-4.6 6.2-4.6s5.6 1.6 6.2 4.6" />);
export const LeaveIcon = icon(<path d="M12 3.5H4.5v13H12M8.5 10H17M13.8 6.8L17 10l-3.2 3.2" />);
export const LinkIcon = icon(<path d="M8.5 11.5a3 3 0 0 0 4.3 0l2.7-2.7a3 3 0 0 0-4.3-4.3l-1 1M11.5 8.5a3 3 0 0 0-4.3 0l-2.7 2.7a3 3 0 0 0 4.3 4.3l1-1" />);
export const DownIcon = icon(<path d="M10 4v11.5M5 10.5l5 5 5-5" />);
export const DownloadIcon = icon(<path d="M10 3v9.5M5.8 8.5L10 12.7l4.2-4.2M4 16.5h12" />);
export const UploadIcon = icon(<path d="M10 13V3.5M5.8 7.5L10 3.3l4.2 4.2M4 16.5h12" />);
export const ShareIcon = icon(<path d="M10 11.5V3M6.5 6.2L10 2.8l3.5 3.4M5.5 9H4.2v8h11.6V9h-1.3" />);
export const ChevronIcon = icon(<path d="M4.5 7.5L10 13l5.5-5.5" />);
export const LeftIcon = icon(<path d="M12.5 4.5L7 10l5.5 5.5" />);
export const RightIcon = icon(<path d="M7.5 4.5L13 10l-5.5 5.5" />);
export const ActivityIcon = icon(<path d="M10 3.5a6.5 6.5 0 1 1-6.2 4.6M10 6.3V10l2.6 1.8M3.6 4.2v4h4" />);
export const PulseIcon = icon(<path d="M2.5 10.5h3.2l2-5.5 3.6 10 2.2-4.5h4" />);
export const FilterIcon = icon(<path d="M3.5 5.5h13M6 10h8M8.5 14.5h3" />);
export const SlidersIcon = icon(<path d="M4 6h6M14 6h2M4 14h2M10 14h6M12 4v4M8 12v4" />);
export const FolderIcon = icon(<path d="M2.8 5.2h5l1.6 2h7.8v8.6H2.8z" />);
export const ThumbUpIcon = icon(<path d="M3.5 9h2.8v7.5H3.5zM6.3 9l3.2-5.8c1.2 0 1.9.9 1.7 2L10.8 8h4.7l-1 8.5H6.3" />);
export const ThumbDownIcon = icon(<path d="M3.5 11h2.8V3.5H3.5zM6.3 11l3.2 5.8c1.2 0 1.9-.9 1.7-2l-.4-2.8h4.7l-1-8.5H6.3" />);
