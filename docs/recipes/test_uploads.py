"""Uploads: by a form, and streamed."""

from tornado.web import Application, HTTPError, RequestHandler, stream_request_body

from asynctest_tornado import AsyncHTTPTestCase


class PhotosHandler(RequestHandler):
    """Takes files of a form."""

    def post(self):
        photos = self.request.files.get("photo", [])
        if not photos:
            raise HTTPError(400)
        self.write({"album": self.get_argument("album"), "sizes": {each.filename: len(each.body) for each in photos}})


@stream_request_body
class BackupHandler(RequestHandler):
    """Takes a large body piece by piece."""

    def prepare(self):
        self.size = 0

    def data_received(self, chunk):
        self.size += len(chunk)

    def put(self):
        self.write({"size": self.size})


class UploadTest(AsyncHTTPTestCase):
    def get_app(self):
        return Application([("/photos", PhotosHandler), ("/backup", BackupHandler)])

    def test_two_files_and_a_field(self):
        photos = [("cat.png", b"\x89PNG..."), ("dog.jpg", b"\xff\xd8", "image/jpeg")]
        response = self.fetch("/photos", files={"photo": photos}, form={"album": "pets"})
        self.assertEqual(response.json(), {"album": "pets", "sizes": {"cat.png": 7, "dog.jpg": 2}})

    def test_a_form_without_a_file(self):
        self.assertStatus(self.fetch("/photos", form={"album": "pets"}), 400)

    def test_a_large_body(self):
        response = self.fetch("/backup", method="PUT", body=bytes(1_000_000))
        self.assertEqual(response.json(), {"size": 1_000_000})
