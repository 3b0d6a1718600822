# SPDX-License-Identifier: Apache-2.0
"""One connection to the API server of tests/cluster/run, as its administrator."""
import http.client
import json
import os
import ssl


class Api:
    def __init__(self):
        directory = os.environ["SABOT_CLUSTER"]
        context = ssl.create_default_context(cafile=f"{directory}/ca.crt")
        context.load_cert_chain(f"{directory}/admin.crt", f"{directory}/admin.key")
        self.connection = http.client.HTTPSConnection("127.0.0.1", 6443, context=context, timeout=30)

    def call(self, method, path, body=None, content_type="application/json"):
        """(status, decoded answer; {"message": text} when it is no JSON)"""
        self.connection.request(method, path, json.dumps(body) if body is not None else None,
                                {"Content-Type": content_type})
        answer = self.connection.getresponse()
        text = answer.read().decode()
        try:
            return answer.status, json.loads(text)
        except json.JSONDecodeError:  # of a group that is not served yet
            return answer.status, {"message": text}
