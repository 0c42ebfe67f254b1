"""The words a file is refused with; each begins a BadMedia's message and stays as it is."""

TOO_LARGE = "The file is too large"
TOO_SHORT = "The file is too short"
DAMAGED = "The file is damaged"
NOT_MEDIA = "Not a media file"
NO_VIDEO = "The file has no video"
NO_AUDIO = "The file has no audio"
NOT_AN_IMAGE = "Not an image"
