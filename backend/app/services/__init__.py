"""Work that is more than passing a call on."""
