"""What runs inside decoder processes, and only there: nothing else imports OpenImageIO, Pillow or PyAV."""
